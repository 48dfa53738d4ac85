/** Values that are worth offering where a number can stand: what is mapped there, slots, free space, sizes, levels. */
import type { EntryReference, Expression, Node, Tables } from '../../language/syntax/tree';
import { SETTING_BLOCKS, type SettingBlock, type SettingSpec } from '../../language/syntax/words/settings';
import { bytes, hex, joined } from '../../events/wording';
import type { AddressSpace } from '../../language/kind';
import { partOf } from '../addresses';
import { innermost } from '../places';
import type { Declared, DeclaredSlot, MappedRange } from './declared';
import { besideHva, besideSlots, freeForTables, freeLinear, freeTarget, slotWith } from './free';
import type { Way } from './way';

interface OfferedValue {
  readonly text: string;
  /** What it is, in a few words. */
  readonly about: string;
}

const SIZES: readonly OfferedValue[] = [
  { text: '4K', about: 'a page' },
  { text: '2M', about: 'a large page' },
  { text: '1G', about: 'a large page' },
];
const STEPS: readonly OfferedValue[] = [...SIZES.slice(0, 2), { text: '8', about: 'an entry' }];
const WIDTHS: readonly OfferedValue[] = [
  { text: '8', about: 'bytes, default' },
  ...[4, 2, 1].map((size) => ({ text: String(size), about: size === 1 ? 'byte' : 'bytes' })),
];
const MEMORY_TYPES: readonly OfferedValue[] = [
  { text: '6', about: 'WB, default' },
  { text: '0', about: 'UC' },
];
/** What an entry of each level leads to or maps, in paging with 512 entries a table. */
const LEVELS = ['page table: 4K', 'page directory: 2M', 'PDPT: 1G', 'PML4', 'PML5'];

/** What can be said of a value's place, from the analysis alone. The order is that of use. */
export function offeredValues(declared: Declared, { path, value }: Way): OfferedValue[] {
  if (!value) return [];
  const { space } = partOf(path, value, ({ text }) => declared.tablesNamed(text, null));
  return new Values(declared, path, value, space).all();
}

class Values {
  constructor(
    private readonly declared: Declared,
    private readonly path: readonly Node[],
    private readonly value: Expression,
    private readonly space: AddressSpace | null,
  ) {}

  all(): OfferedValue[] {
    const holder = this.path[this.path.length - 1];
    if (holder.kind === 'range' && holder.size === this.value) return [...SIZES];
    const outside = holder.kind === 'range' ? this.path[this.path.length - 2] : holder;
    return this.ofPart(outside) ?? this.ofSpace(outside);
  }

  /** By what the value is a part of; null when that does not say. */
  private ofPart(node: Node): OfferedValue[] | null {
    const { value } = this;
    switch (node.kind) {
      case 'slot':
        return [offered(this.declared.nextSlotId(), 'next')];
      case 'host-act':
        return 'id' in node && node.id === value ? this.slotIds() : node.act === 'resize' ? [...SIZES] : null;
      case 'expect-dirty':
        return node.slot === value ? this.slotIds() : null;
      case 'setting':
        return this.ofSetting(this.path);
      case 'flag':
        return node.name.text === 'pages' ? [...SIZES] : node.name.text === 'memtype' ? [...MEMORY_TYPES] : [];
      case 'access':
        return node.size === value ? [...WIDTHS] : node.step === value ? [...STEPS] : null;
      case 'memory-word':
        return node.size === value ? WIDTHS.slice(0, 2) : null;
      case 'for':
        return node.step === value ? [...STEPS] : null;
      case 'entry':
        return node.level === value ? this.levels(this.tablesOf(node)) : this.ofEntry(this.tablesOf(node));
      case 'raw-entry':
      case 'upper':
      case 'placement':
      case 'share':
        return node.level === value ? this.levels(this.declared.tablesAround()) : null;
      default:
        return null;
    }
  }

  private ofSpace(node: Node): OfferedValue[] {
    switch (this.space) {
      case 'gva':
        return node.kind === 'mapping' ? this.nextLinear() : this.linear(node);
      case 'gpa':
        return this.guestPhysical(node);
      case 'hva':
        return this.declared
          .slots()
          .flatMap(({ id, hva, size }) => (hva === null ? [] : [offered(hva, joined(`slot ${id}`, sizeText(size)))]));
      default:
        return [];
    }
  }

  /* ------------------------------------------------------------ settings */

  private ofSetting(path: readonly Node[]): OfferedValue[] {
    const setting = innermost(path, 'setting')!;
    if (setting.second === this.value) return [];
    const name = setting.bit ? `${setting.name.text}.${setting.bit.text}` : setting.name.text;
    const block = blockOf(path);
    const spec = block && Object.hasOwn(SETTING_BLOCKS[block], name) ? SETTING_BLOCKS[block][name] : null;
    return [...(block === 'slot' ? this.ofSlotSetting(name) : []), ...(spec ? ofSpec(spec) : [])];
  }

  private ofSlotSetting(name: string): OfferedValue[] {
    if (name === 'gpa') return this.freeGuestPhysical();
    if (name !== 'hva') return [];
    const at = besideHva(this.declared.slots());
    return at === null ? [] : [offered(at, 'free')];
  }

  /* ------------------------------------------------------------ addresses */

  /** Linear addresses that the guest's tables map. */
  private linear(node: Node): OfferedValue[] {
    const around = node.kind === 'access' ? null : this.declared.tablesAround();
    const tables = around ? [around] : this.declared.firstStage();
    return this.mapped(this.declared.mapped(tables));
  }

  /** Addresses that an entry's tables map; of the built-in ones those of the guest. */
  private ofEntry(tables: Tables | null): OfferedValue[] | null {
    return tables ? this.mapped(this.declared.mapped([tables])) : null;
  }

  private mapped(ranges: readonly MappedRange[]): OfferedValue[] {
    return ranges.map(({ from, to, size, flags, tables }) =>
      offered(from, joined(`→ ${hexOf(to)} +${sizeText(size)}`, flags, tables.name?.text)),
    );
  }

  private nextLinear(): OfferedValue[] {
    const around = this.declared.tablesAround();
    const { at, after } = freeLinear(around ? this.declared.mapped([around]) : []);
    return [offered(at, after ? `after ${hexOf(after.from)} +${sizeText(after.size)}` : 'first address')];
  }

  private guestPhysical(node: Node): OfferedValue[] {
    const slots = this.declared.slots();
    const mapped = this.declared.mapped();
    const inSlot = (at: bigint | null): OfferedValue[] =>
      at === null ? [] : [offered(at, joined('free', `slot ${slotWith(slots, at)?.id}`))];
    switch (node.kind) {
      case 'tables':
      case 'placement':
      case 'load':
        return inSlot(freeForTables(slots, [...this.declared.roots().values()], mapped));
      case 'mapping':
        return inSlot(freeTarget(slots, mapped));
      case 'host-act':
        return this.freeGuestPhysical();
      default:
        return this.known(slots, mapped);
    }
  }

  private freeGuestPhysical(): OfferedValue[] {
    return besideSlots(this.declared.slots()).map(({ at, end }) => offered(at, end === null ? 'free' : `free up to ${hexOf(end - 1n)}`));
  }

  /** Guest-physical addresses that mean something: what is mapped, roots of tables, slots. */
  private known(slots: readonly DeclaredSlot[], mapped: readonly MappedRange[]): OfferedValue[] {
    const found: OfferedValue[] = mapped.map(({ from, to, size, tables: by }) =>
      offered(to, joined(`← ${hexOf(from)} +${sizeText(size)}`, by.name?.text)),
    );
    for (const [name, at] of this.declared.roots()) found.push(offered(at, `root of ${name}`));
    for (const { id, gpa, size } of slots) if (gpa !== null) found.push(offered(gpa, joined(`slot ${id}`, sizeText(size))));
    return found;
  }

  /* ------------------------------------------------------------ slots and levels */

  private slotIds(): OfferedValue[] {
    return this.declared.slots().map(({ id, gpa, size }) => offered(id, joined(gpa !== null && `gpa ${hexOf(gpa)}`, sizeText(size))));
  }

  private tablesOf({ vm, table }: EntryReference): Tables | null {
    return this.declared.tablesNamed(table.text, vm?.text ?? null);
  }

  private levels(tables: Tables | null): OfferedValue[] {
    const format = tables?.format?.text ?? '4-level';
    const count = ({ '32-bit': 2, 'pae': 3, '5-level': 5 } as { readonly [format: string]: number })[format] ?? 4; // prettier-ignore
    return LEVELS.slice(0, count).map((about, index) => ({ text: String(index + 1), about: format === '32-bit' ? '' : about }));
  }
}

/** The block whose setting is the last of a way. */
function blockOf(path: readonly Node[]): SettingBlock | null {
  for (let index = path.lastIndexOf(innermost(path, 'setting')!) - 1; index >= 0; index--) {
    const node = path[index];
    const name = node.kind === 'setting' ? node.name.text : node.kind;
    if (Object.hasOwn(SETTING_BLOCKS, name)) return name as SettingBlock;
  }
  return null;
}

function ofSpec({ takes, default: otherwise }: SettingSpec): OfferedValue[] {
  const dflt = otherwise === undefined || takes === 'switch' ? [] : [{ text: otherwise, about: 'default' }];
  return takes === 'size' ? [...dflt, ...SIZES] : dflt;
}

function offered(value: bigint, about: string): OfferedValue {
  return { text: hexOf(value), about };
}

/** Small numbers as they are, addresses in hexadecimal. */
export function hexOf(value: bigint): string {
  const bits = BigInt.asUintN(64, value);
  return bits < 16n ? String(bits) : hex(bits);
}

function sizeText(size: bigint | null): string {
  return size === null ? '' : size < 1n << 53n ? bytes(Number(size)) : hexOf(size);
}
