/** Plans a VM: its slots, vCPUs, tables and memory, in the order in which one needs the other. */
import type { Cpuid, MmuKind, PagingMode } from '../../engine/program';
import { PAGE_SIZE } from '../../engine/bits';
import { MMU_KINDS } from '../syntax/words/observed';
import type { ItemClaims, VmSteps } from '../kind';
import type { HostPlan } from '../machine/host';
import { vmItemKind } from '../machine/kinds';
import type { ReadBytes } from '../machine/load';
import { pagingOf, planVcpu } from '../machine/vcpu';
import { readCpuid } from '../machine/cpuid';
import { VM_SETTINGS } from '../machine/vm';
import type { Body, ErrorNode, For, Node, Tables, Vcpu, Vm, VmItem } from '../syntax/tree';
import type { Named } from '../semantics/scopes';
import { show } from '../semantics/values';
import type { Env } from '../semantics/values';
import type { Context } from './context';
import { itemDoes, Rounds } from './rounds';
import { Settings } from './read-settings';
import { CONTROL_SETTINGS, planControl } from './nested-control';
import type { ControlPlan, ControlSurroundings } from './nested-control';
import { areasOf, checkGuestMemory, GuestPlacer } from './nested-memory';
import { HvaAllocator, placeSlots, settingOf } from './slots';
import type { SlotDraft, SlotPlan } from './slots';
import { TableAllocator } from './tables/allocator';
import type { Area, Claims } from './tables/allocator';
import { TablesBuilder } from './tables/builder';
import type { Owners } from './tables/builder';
import { checkEntries, checkTargets } from './tables/check';
import { SHAPES } from './tables/format';
import type { FormatName, Shape } from './tables/format';
import { ItemReader, readsSomething } from './tables/items';
import type { TablesItems } from './tables/items';
import { MemoryBuilder } from './tables/memory';
import type { VcpuPlan, VmPlan } from './vm-plan';

type Known = Exclude<VmItem, ErrorNode | For>;

/** Items that take part in a step of the plan. */
function takesPart(step: keyof VmSteps<Known>): (item: Known) => boolean {
  return (item) => vmItemKind(item).plan[step] !== undefined;
}

/** Slots, and what cannot stand in a loop. */
function isPart(item: Known): boolean {
  return vmItemKind(item).plan.memory !== undefined || vmItemKind(item).once(item) !== null;
}

export class VmPlanner implements VmPlan {
  readonly mmu: MmuKind;
  readonly hypervisor: 'kvm' | 'script';
  readonly cpuid: Cpuid;
  readonly children: VmPlanner[] = [];
  readonly tables = new Map<Named, { readonly named: Named; readonly node: Tables; readonly shape: Shape; root: number | null }>();
  readonly vcpus: VcpuPlan[] = [];
  slots: readonly SlotPlan[] = [];
  control: ControlPlan | null = null;
  memory: VmPlan['memory'] = [];
  private readonly settings: Settings;
  private readonly drafts: SlotDraft[] = [];
  /** Whose each page of tables is. */
  readonly owners: Owners = new Map();
  /** Areas of the slots, ascending. */
  private areas: readonly Area[] = [];
  private readonly vcpuNodes: Vcpu[] = [];
  private readonly tablesNodes: Tables[] = [];
  private allocator: TableAllocator | null = null;
  private readonly pendingRoots = new Set<Named>();
  private readonly placedRoots = new Set<Named>();
  private claiming = false;
  private slotsKnown = false;

  constructor(
    readonly context: Context,
    private readonly host: HostPlan,
    readonly node: Vm,
    readonly named: Named,
    readonly env: Env,
    readonly parent: VmPlanner | null,
    readonly readBytes: ReadBytes | undefined,
  ) {
    const items = node.body?.items ?? [];
    const settings = (this.settings = new Settings(context, VM_SETTINGS, items, env));
    this.mmu = mmuOf(settings.choice('mmu'));
    this.hypervisor = settings.choice('hypervisor') === 'script' ? 'script' : 'kvm';
    this.cpuid = readCpuid(context, settings.inside('cpuid'), env, parent?.cpuid ?? host.config);
    for (const name of parent ? [] : CONTROL_SETTINGS) {
      const setting = settings.node(name);
      if (setting) context.report(env, setting, 'not-nested', `${name} is a setting of a VM inside a VM`);
    }
    for (const item of items) if (item.kind !== 'error') vmItemKind(item).plan.declare?.(this, item);
    const paging = pagingOf(this.vcpuNodes[0]?.body?.items ?? []);
    for (const tables of this.tablesNodes) this.declareTables(tables, paging);
  }

  /** Address of the root of tables of this VM; null when there is none (yet). */
  rootOf(named: Named): bigint | null {
    const tables = this.tables.get(named);
    if (!tables) return null;
    if (!this.placedRoots.has(named)) {
      if (this.pendingRoots.has(named) || (this.claiming && !tables.node.at)) {
        if (!this.claiming)
          this.context.report(named, named.definition, 'address-cycle', `where ${named.name} lie depends on where they lie`);
        return null;
      }
      this.pendingRoots.add(named);
      const root = tables.node.at ? this.writtenRoot(tables.node, tables.shape) : this.allocatedRoot(named);
      this.pendingRoots.delete(named);
      // An address that was asked for while others were still unknown is looked for again.
      if (root === null && this.claiming) return null;
      tables.root = root;
      this.placedRoots.add(named);
    }
    return tables.root === null ? null : BigInt(tables.root);
  }

  /**
   * Everything; VMs around it are planned before.
   *
   * @param later areas that may come to be memory in a script
   */
  plan(later: readonly Area[]): void {
    this.draftSlots();
    this.placeSlots();
    if (this.parent) this.control = planControl(this.context, this.settings, this.env, this.parent.surroundings);
    for (const named of this.tables.keys()) this.rootOf(named);
    this.planVcpus();
    const memory = new MemoryBuilder();
    this.buildTables(memory, later);
    this.writeMemory(memory);
    this.memory = memory.images();
  }

  get surroundings(): ControlSurroundings {
    const { named, hypervisor, tables, areas, owners } = this;
    const words = this.memory.map(({ gpa }) => Math.floor(gpa / PAGE_SIZE));
    return {
      named,
      hypervisor,
      tables,
      areas,
      used: areasOf(new Set([...owners.keys(), ...words])),
      tablesIn: ({ from, end }) => {
        for (const [page, owner] of owners) {
          const gpa = page * PAGE_SIZE;
          if (from <= gpa && gpa < end) return { tables: owner.tables, gpa };
        }
        return null;
      },
      hasMemory: (gpa) => this.hasMemory(gpa),
    };
  }

  hasMemory(gpa: number): boolean {
    return this.areas.some((area) => area.from <= gpa && gpa < area.end);
  }

  /* ------------------------------------------------------------ slots and items */

  /** Visits all items of which something holds, loops that have such items unrolled. */
  private visit(which: (item: Known) => boolean, see: (item: Known, env: Env) => void): void {
    const rounds = new Rounds(
      this.context,
      itemDoes((item) => item.kind !== 'error' && which(item as Known)),
    );
    const visit = (items: readonly VmItem[], env: Env): void => {
      for (const item of items) {
        if (item.kind === 'error') continue;
        if (item.kind === 'for') for (const round of rounds.of(item, env)) visit((item.body as Body<VmItem> | null)?.items ?? [], round);
        else if (which(item)) see(item, env);
      }
    };
    visit(this.node.body?.items ?? [], this.env);
  }

  addVcpu(node: Vcpu): void {
    this.vcpuNodes.push(node);
  }

  addTables(node: Tables): void {
    this.tablesNodes.push(node);
  }

  addSlot(draft: SlotDraft | null): void {
    if (draft) this.drafts.push(draft);
  }

  /** Size of the host pages that back slots which do not say it. */
  get hostPageSize(): number {
    return this.host.config.pageSize;
  }

  private draftSlots(): void {
    if (this.slotsKnown) return;
    this.slotsKnown = true;
    this.visit(isPart, (item, env) => {
      const once = env === this.env ? null : vmItemKind(item).once(item);
      if (once !== null) this.context.report(env, item, 'not-in-loop', `${once} cannot stand in a loop; slot, word and const can`);
      vmItemKind(item).plan.memory?.(this, item, env);
    });
    const areas = this.drafts.map(({ config }) => ({ from: config.gpa, end: config.gpa + config.size }));
    this.areas = areas.sort((a, b) => a.from - b.from);
  }

  private placeSlots(): void {
    const { context, parent, drafts } = this;
    if (!parent) {
      this.slots = placeSlots(context, drafts, new HvaAllocator());
      return;
    }
    const { surroundings } = parent;
    const others = parent.children.flatMap((child) => child.writtenAreas());
    this.slots = placeSlots(context, drafts, new GuestPlacer(surroundings, others));
    checkGuestMemory(context, this.slots, surroundings);
  }

  /** Memory of the VM around in which slots lie that say so, or that have a place already. Nothing is reported. */
  private writtenAreas(): Area[] {
    const areas: Area[] = this.slots.map(({ config: { hva, size } }) => ({ from: hva, end: hva + size }));
    if (areas.length > 0) return areas;
    const { evaluator, reporter } = this.context;
    reporter.silently(() => {
      this.visit(takesPart('memory'), (item, env) => {
        if (item.kind !== 'slot') return;
        const hva = settingOf(item, 'hva');
        const size = settingOf(item, 'size');
        const from = hva && evaluator.number(hva, env);
        const bytes = size && evaluator.number(size, env);
        if (from !== null && bytes !== null && bytes > 0n) areas.push({ from: Number(from), end: Number(from + bytes) });
      });
    });
    return areas;
  }

  /* ------------------------------------------------------------ where tables lie */

  private declareTables(node: Tables, paging: PagingMode): void {
    const named = node.name && this.context.links.byDefinition.get(node.name);
    if (!named) return;
    const written = node.format?.text;
    const format = written !== undefined && written in SHAPES ? (written as FormatName) : paging === 'none' ? '4-level' : paging;
    this.tables.set(named, { named, node, shape: SHAPES[format], root: null });
  }

  private writtenRoot(node: Tables, shape: Shape): number | null {
    const { context, env } = this;
    const at = node.at!;
    const range = context.evaluator.range(at, env);
    if (!range) return null;
    if (range.from < 0n || range.from % BigInt(shape.rootAlignment) !== 0n) {
      context.report(
        env,
        at.from,
        'not-aligned',
        `the root of ${shape.name} tables lies at a multiple of ${shape.rootAlignment}, not at ${show(range.from)}`,
      );
      return null;
    }
    this.draftSlots();
    if (this.hasMemory(Number(range.from))) return Number(range.from);
    if (!this.claiming) context.report(env, at, 'table-in-no-slot', `the root at ${show(range.from)} is in no slot`);
    return null;
  }

  private allocatedRoot(named: Named): number | null {
    this.draftSlots();
    const root = this.tableAllocator().allocate(named, 0, null);
    if (root === null) {
      const why = this.areas.length === 0 ? `the VM has no memory: it needs a slot` : 'there is no room in its slots';
      this.context.report(named, named.definition, 'no-room-for-tables', `${named.name} cannot be placed: ${why}`);
    }
    return root;
  }

  private tableAllocator(): TableAllocator {
    return (this.allocator ??= new TableAllocator(this.claims()));
  }

  /** What is taken, as far as it can be known before tables without a place have one. Nothing is reported here. */
  private claims(): Claims {
    const { context } = this;
    const pages = new Set<number>();
    const mapped: Area[] = [];
    const reserved = new Map<Named, Area>();
    this.claiming = true;
    const filled = this.children.flatMap((child) => child.writtenAreas());
    context.reporter.silently(() => {
      const rounds = new Rounds(context, itemDoes(readsSomething));
      for (const { named, node, shape } of this.tables.values()) {
        const range = node.at && context.evaluator.range(node.at, this.env);
        if (range) {
          pages.add(Number(range.from / 4096n));
          if (range.last > range.from) reserved.set(named, { from: Number(range.from), end: Number(range.last) + 1 });
        }
        const items = this.reader(shape, rounds).read(node, this.env);
        for (const { at } of items.placements) pages.add(Number(at / 4096n));
        for (const { value } of items.raws) pages.add(Number((value & 0x000f_ffff_ffff_f000n) / 4096n));
        for (const { to, size } of items.mappings) mapped.push({ from: Number(to), end: Number(to + size) });
      }
      const claims: ItemClaims = { page: (gpa) => pages.add(Number(gpa / 4096n)), fill: (area) => filled.push(area) };
      this.visit(takesPart('claim'), (item, env) => vmItemKind(item).plan.claim?.(this, item, env, claims));
    });
    this.claiming = false;
    return { pages, mapped, reserved, filled, slots: this.areas };
  }

  /* ------------------------------------------------------------ tables and words */

  private reader(shape: Shape, rounds: Rounds): ItemReader {
    return new ItemReader(this.context, shape, rounds, this.host.config.maxPhyAddr);
  }

  private buildTables(memory: MemoryBuilder, later: readonly Area[]): void {
    const { context, owners } = this;
    const built: { items: TablesItems; builder: TablesBuilder; named: Named }[] = [];
    const rounds = new Rounds(context, itemDoes(readsSomething));
    const hasMemory = (gpa: number): boolean => this.hasMemory(gpa);
    for (const { named, node, shape, root } of this.tables.values()) {
      const items = this.reader(shape, rounds).read(node, this.env);
      checkEntries(context, items, shape, this.host.config, this.vcpus);
      if (this.areas.length > 0) checkTargets(context, items, shape, [...this.areas, ...later]);
      if (root === null) continue;
      const other = owners.get(Math.floor(root / PAGE_SIZE));
      if (other && shape.rootAlignment === PAGE_SIZE) {
        const related = [{ file: other.tables.file, node: other.node, message: `a table of ${other.tables.name}` }];
        context.report(named, node.at ?? named.definition, 'tables-overlap', `there is a table at ${show(root)} already`, { related });
        continue;
      }
      const builder = new TablesBuilder({ context, named, shape, root, memory, allocator: this.tableAllocator(), owners, hasMemory });
      builder.build(items);
      built.push({ items, builder, named });
    }
    this.shareTables(built);
  }

  /** Shares, those first whose source shares nothing that is still to come. */
  private shareTables(built: readonly { items: TablesItems; builder: TablesBuilder; named: Named }[]): void {
    const { context } = this;
    const done = new Set<Named>();
    const visiting = new Set<Named>();
    const settle = (entry: (typeof built)[number]): void => {
      if (done.has(entry.named)) return;
      visiting.add(entry.named);
      for (const share of entry.items.shares) {
        const source = built.find((each) => each.named === share.tables);
        const tables = this.tables.get(share.tables);
        if (!tables)
          context.report(share.env, share.node.tables ?? share.node, 'not-tables', `${share.tables.name} are not tables of this VM`);
        else if (tables.shape !== this.tables.get(entry.named)!.shape) {
          context.report(
            share.env,
            share.node.tables ?? share.node,
            'format-mismatch',
            `${share.tables.name} are ${tables.shape.name} tables: only tables of one format can share entries`,
          );
        } else if (visiting.has(share.tables)) {
          context.report(
            share.env,
            share.node,
            'share-cycle',
            `${entry.named.name} and ${share.tables.name} share entries with each other`,
          );
        } else if (source) {
          settle(source);
          entry.builder.share(share, source.builder, entry.items);
        }
      }
      visiting.delete(entry.named);
      done.add(entry.named);
    };
    built.forEach(settle);
  }

  /** Files first, then words over them. */
  private writeMemory(memory: MemoryBuilder): void {
    this.visit(takesPart('fill'), (item, env) => vmItemKind(item).plan.fill?.(this, item, env, memory));
    this.visit(takesPart('write'), (item, env) => vmItemKind(item).plan.write?.(this, item, env, memory));
  }

  /* ------------------------------------------------------------ vCPUs */

  private planVcpus(): void {
    const { context, env } = this;
    const around = {
      cpuid: this.cpuid,
      tables: (named: Named) => {
        const tables = this.tables.get(named);
        return tables ? { root: tables.root, format: tables.shape.name } : null;
      },
      onlyRoot: (mode: PagingMode) => {
        const fitting = [...this.tables.values()].filter(({ shape }) => shape.name === mode);
        return fitting.length === 1 ? fitting[0].root : fitting.length === 0 ? ('none' as const) : ('several' as const);
      },
      hasMemory: (gpa: number) => this.hasMemory(gpa),
    };
    this.vcpuNodes.forEach((node, index) => {
      const config = planVcpu(
        context,
        node.body?.items ?? [],
        node.name ?? headOf(node, 'vcpu'),
        node.name?.text ?? `${index}`,
        env,
        around,
      );
      this.vcpus.push({ node, config });
    });
    if (this.vcpus.length === 0)
      this.vcpus.push({ node: null, config: planVcpu(context, [], this.node.name ?? headOf(this.node, 'vm'), '0', env, around) });
  }
}

/** The word that begins a node, for problems about all of it. */
export function headOf(node: Node, word: string): Node {
  return { kind: 'error', range: { start: node.range.start, end: node.range.start + word.length } };
}

function mmuOf(text: string): MmuKind {
  return text in MMU_KINDS ? (text as MmuKind) : 'ept';
}
