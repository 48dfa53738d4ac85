/** What the machine declares where a statement or an item stands, as far as constants say: slots, mapped ranges, roots. Nothing is run. */
import type { Analysis } from '../../language/analysis';
import type { Expression, HostActs, Node, Run, Setting, Slot, Tables, Vm, VmItem } from '../../language/syntax/tree';
import { pathAt } from '../../language/syntax/tree';
import { innermost } from '../places';

/** Things of one kind that are looked at; a file may declare many more than anybody chooses from. */
const MOST_DECLARED = 200;

interface DeclaredVm {
  readonly vm: Vm;
  /** There is a VM around it. */
  readonly outer: boolean;
}

export interface DeclaredSlot {
  readonly id: bigint;
  readonly gpa: bigint | null;
  readonly size: bigint | null;
  readonly hva: bigint | null;
}

/** A range of addresses that tables map. */
export interface MappedRange {
  readonly from: bigint;
  readonly size: bigint;
  readonly to: bigint;
  /** As the flags are written: `rw user`. */
  readonly flags: string;
  readonly tables: Tables;
}

/** The machine as a place of the file sees it. */
export class Declared {
  /** The VMs whose memory the place is about: the one around it, or that performs there; in a block, any. */
  readonly vms: readonly Vm[];

  /** @param way what is around the place, outermost first, by a tree of its own: VMs are told by their names */
  constructor(
    private readonly analysis: Analysis,
    private readonly offset: number,
    way: readonly Node[],
  ) {
    const all = allVms(analysis);
    const named = innermost(way, 'vm')?.name ?? innermost(way, 'performed')?.vm ?? innermost(way, 'run')?.vm;
    const found = named && all.find(({ vm }) => vm.name?.text === named.text);
    this.vms = found ? [found.vm] : all.filter(({ outer }) => !outer).map(({ vm }) => vm);
  }

  /** Slots whose ids are known, of the machine and those that the script has made before the place; of two with one id the later. */
  slots(): DeclaredSlot[] {
    const found = new Map<bigint, DeclaredSlot>();
    for (const slot of [...itemsOf(this.vms, 'slot'), ...this.createdBefore()]) {
      const declared = this.slot(slot);
      if (declared) found.set(declared.id, declared);
    }
    return [...found.values()];
  }

  nextSlotId(): bigint {
    const ids = new Set(this.slots().map(({ id }) => id));
    let next = 0n;
    while (ids.has(next)) next++;
    return next;
  }

  private createdBefore(): Slot[] {
    const script = pathAt(this.analysis.parsed.tree, this.offset).find((node): node is Run => node.kind === 'run');
    const acts = (script?.body?.items ?? []).filter((item): item is HostActs => item.kind === 'host-acts' && item.range.end < this.offset);
    const single = acts.flatMap(({ act, body }): (Node | null)[] => (body ? [...body.items] : [act]));
    return single.flatMap((act) => (act?.kind === 'host-act' && act.act === 'create' && act.slot ? [act.slot] : []));
  }

  private slot(slot: Slot): DeclaredSlot | null {
    const id = this.analysis.valueOf(slot.id);
    const value = (name: string): bigint | null => {
      const setting = slot.body?.items.find((item): item is Setting => item.kind === 'setting' && item.name.text === name);
      return setting?.value ? this.analysis.valueOf(setting.value) : null;
    };
    return id === null ? null : { id, gpa: value('gpa'), size: value('size'), hva: value('hva') };
  }

  tables(): Tables[] {
    return itemsOf(this.vms, 'tables');
  }

  /** Tables in which a guest looks its own addresses up. */
  firstStage(): Tables[] {
    return this.tables().filter(({ format }) => format?.text !== 'ept' && format?.text !== 'npt');
  }

  /** The tables of a name, of these VMs or of the one that is named. */
  tablesNamed(name: string, vm: string | null): Tables | null {
    const named = vm === null ? null : allVms(this.analysis).find((each) => each.vm.name?.text === vm);
    return itemsOf(named ? [named.vm] : this.vms, 'tables').find((each) => each.name?.text === name) ?? null;
  }

  /** Names of the tables of a VM. */
  namesOfTables(vm: string): string[] {
    const named = allVms(this.analysis).find((each) => each.vm.name?.text === vm);
    return named ? itemsOf([named.vm], 'tables').flatMap(({ name }) => (name ? [name.text] : [])) : [];
  }

  /** Names of vCPUs, and null for those that have none. */
  vcpus(): { readonly name: string | null }[] {
    return itemsOf(this.vms, 'vcpu').map(({ name }) => ({ name: name?.text ?? null }));
  }

  /** The tables in whose body the place is. */
  tablesAround(): Tables | null {
    return innermost(pathAt(this.analysis.parsed.tree, this.offset), 'tables');
  }

  /** Addresses of roots that are given, by the names of tables. */
  roots(): Map<string, bigint> {
    const found = new Map<string, bigint>();
    for (const { name, at } of this.tables()) {
      const root = at && this.analysis.valueOf(at.from);
      if (name && typeof root === 'bigint') found.set(name.text, root);
    }
    return found;
  }

  /** The ranges that tables map, in the order of the text. */
  mapped(tables: readonly Tables[] = this.tables()): MappedRange[] {
    const found: MappedRange[] = [];
    for (const each of tables) {
      for (const item of each.body?.items ?? []) {
        if (found.length === MOST_DECLARED) return found;
        if (item.kind !== 'mapping') continue;
        const [from, to, size] = [this.analysis.valueOf(item.from.from), this.analysis.valueOf(item.to), this.sizeOf(item.from)];
        if (from === null || to === null || size === null) continue;
        found.push({ from, size, to, flags: item.flags.map(flagText).join(' '), tables: each });
      }
    }
    return found;
  }

  private sizeOf({ from, to, size }: { from: Expression; to: Expression | null; size: Expression | null }): bigint | null {
    if (size) return this.analysis.valueOf(size);
    const [first, last] = [this.analysis.valueOf(from), to && this.analysis.valueOf(to)];
    return first === null || last === null ? null : last - first + 1n;
  }
}

/** The file's VMs, those of its imports, and those inside them. */
function allVms(analysis: Analysis): DeclaredVm[] {
  const found: DeclaredVm[] = [];
  const look = (items: readonly Node[], outer: boolean): void => {
    for (const item of items) {
      if (item.kind !== 'vm' || found.length === MOST_DECLARED) continue;
      found.push({ vm: item, outer });
      look(item.body?.items ?? [], true);
    }
  };
  for (const { tree } of [analysis.parsed, ...analysis.imports.values()]) look(tree.items, false);
  return found;
}

function flagText({ not, name }: { readonly not: boolean; readonly name: { readonly text: string } }): string {
  return not ? `not ${name.text}` : name.text;
}

function itemsOf<K extends VmItem['kind']>(vms: readonly Vm[], kind: K): Extract<Node, { kind: K }>[] {
  const found: Extract<Node, { kind: K }>[] = [];
  for (const { body } of vms) {
    for (const item of body?.items ?? []) {
      if (item.kind !== kind) continue;
      found.push(item as Extract<Node, { kind: K }>);
      if (found.length === MOST_DECLARED) return found;
    }
  }
  return found;
}
