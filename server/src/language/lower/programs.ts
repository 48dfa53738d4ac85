/** Scenarios to programs: VMs planned once, scripts lowered for each run, kind of MMU virtualization and kernel. */
import { KERNELS } from '../../engine/program';
import type { Kernel, MmuKind, Program, VmConfig } from '../../engine/program';
import type { MmuKinds, Node, Run, Vm } from '../syntax/tree';
import { planHost } from '../machine/host';
import type { HostPlan } from '../machine/host';
import { readingOnce } from '../machine/load';
import type { ReadBytes } from '../machine/load';
import { drained } from '../steps';
import type { Links } from '../semantics/links';
import type { ProblemCode } from '../semantics/codes';
import type { Reporter } from '../semantics/reporter';
import type { Named } from '../semantics/scopes';
import type { SourceFile } from '../semantics/source';
import type { Statements } from '../semantics/statements';
import { checkConstants, Evaluator, fileEnv } from '../semantics/values';
import { hostActKind } from '../statements/host/kinds';
import { Context } from './context';
import { memoryFor } from './host-memory';
import { checkKinds, checkSlots } from './nesting';
import { checkOfferedKeys } from './offered-keys';
import { RunState } from './run-state';
import type { Area } from './tables/allocator';
import { Coverage, ScriptLowering } from './script';
import { reportUnsupported } from './unsupported';
import { headOf, VmPlanner } from './vm-planner';
import type { VmPlan } from './vm-plan';

/** Problems that depend on the kind of MMU and on what was done before, which nobody knows of a block that is not called. */
const OF_THE_MOMENT: ReadonlySet<ProblemCode> = new Set<ProblemCode>([
  'no-such-tables', 'other-vendor', 'no-such-slot', 'no-dirty-log', 'not-in-slot', 'slot-overlap', 'slot-refused', 'register-refused', 'nothing-before',
  'not-a-hypervisor', 'not-in-run', 'format-mismatch',
]); // prettier-ignore

export interface LowerOptions {
  /** Content of a file that is loaded into memory. Absent where only texts can be had. */
  readonly readBytes?: ReadBytes;
  /** Run each script under this kind alone, whatever its `under` says. */
  readonly under?: MmuKind;
  /** Run each script with this kernel alone, whatever its `with` and its host say. */
  readonly kernel?: Kernel;
  /** Asked now and then: why lowering has to end, as the message of a problem; null: it may go on. */
  stop?(): string | null;
}

/** What is run alone. */
type Only = Pick<LowerOptions, 'under' | 'kernel'>;

/** Kinds under which a run runs its VM and those around it. */
interface Way {
  readonly text: string;
  readonly kinds: ReadonlyMap<VmPlan, MmuKind>;
  /** Where they stand; null: nowhere. */
  readonly at: MmuKinds | null;
}

export class Lowering {
  readonly context: Context;
  private readonly readBytes: ReadBytes | undefined;
  private readonly host: HostPlan;
  private readonly plans = new Map<Named, VmPlanner>();
  private readonly coverage = new Coverage();

  constructor(
    private readonly files: readonly SourceFile[],
    private readonly links: Links,
    private readonly reporter: Reporter,
    private readonly statements: Statements,
    private readonly options: LowerOptions,
  ) {
    const rootOf = (tables: Named): bigint | null => (tables.scope.vm ? (this.plans.get(tables.scope.vm)?.rootOf(tables) ?? null) : null);
    this.context = new Context(links, reporter, new Evaluator(links, reporter, rootOf), () => options.stop?.() ?? null);
    this.readBytes = options.readBytes && readingOnce(options.readBytes);
    this.host = planHost(this.context, files);
  }

  /** Everything that is wrong with machines and scripts is reported; in steps, between which other work can be done. */
  *programs(): Generator<void, readonly Program[]> {
    const { context, host, options, reporter } = this;
    checkConstants(this.links, context.evaluator);
    const planners = [...this.files].reverse().flatMap((file) => this.declare(file));
    const later = this.slotsOfScripts();
    for (const planner of planners) {
      planner.plan(later);
      yield;
    }
    for (const planner of planners) checkSlots(context, planner, planner.mmu, host.config.maxPhyAddr);
    let programs = yield* this.runs({});
    if (!context.budget.overrun) this.checkCoverage();
    if ((options.under ?? options.kernel) !== undefined && !reporter.hasErrors) programs = yield* this.runsOnly(options);
    const { overrun } = context.budget;
    if (overrun) context.report(overrun.env, overrun.node, overrun.code, overrun.message);
    return reporter.hasErrors ? [] : programs;
  }

  /** Programs of all runs of the main file, in the order of the text. */
  private *runs(only: Only): Generator<void, readonly Program[]> {
    const programs: Program[] = [];
    for (const item of this.files[0].parsed.tree.items) if (item.kind === 'run') programs.push(...(yield* this.run(item, only)));
    return programs;
  }

  /** The same under one kind, or with one kernel, alone. Nothing is reported. */
  private *runsOnly(only: Only): Generator<void, readonly Program[]> {
    let programs: readonly Program[] = [];
    this.reporter.silently(() => (programs = drained(this.runs(only))));
    yield;
    return programs;
  }

  private checkCoverage(): void {
    this.checkUncalled();
    for (const [node, env] of this.coverage.met) {
      if (this.coverage.matched.has(node)) continue;
      const kinds = node.kinds.map(textOfKinds).join(', ');
      const kernels = node.kernels.map(({ text }) => text).join(', ');
      const where = [kinds && `under ${kinds}`, kernels && `with kernel ${kernels}`].filter(Boolean).join(' ');
      this.context.warn(env, node, 'never-runs', `no run of this is ${where}`);
    }
  }

  /** Blocks that no run calls are looked at as if the first VM's script called them with unknown arguments. */
  private checkUncalled(): void {
    const [plan] = this.plans.values();
    if (!plan) return;
    const plans = machineOf(plan);
    const state = new RunState(this.host, plans, kindsFor(plan, []), plan, null);
    for (const item of this.files[0].parsed.tree.items) {
      const block = item.kind === 'block' && item.name ? this.links.byDefinition.get(item.name) : null;
      if (!block || item.kind !== 'block' || this.coverage.called.has(block)) continue;
      const script = new ScriptLowering(this.context, this.statements, state, new Coverage());
      const env = { ...fileEnv(block.file), vm: plan.named };
      const frame = { env, vm: state.vms[0], vcpu: 0, named: false, inHandler: false };
      this.reporter.ignoring(OF_THE_MOMENT, () => script.block(block, item, frame));
    }
  }

  /** Areas in which scripts make slots or move them, as far as they are the same whenever they do. */
  private slotsOfScripts(): Area[] {
    const areas: Area[] = [];
    const { context } = this;
    this.reporter.silently(() => {
      this.statements.nodes.forEach((node, origin) => {
        const memory = node.kind === 'host-act' ? hostActKind(node).memory(node) : null;
        if (!memory) return;
        const env = fileEnv(this.files.find(({ uri }) => uri === this.statements.places[origin].uri) ?? this.files[0]);
        const start = memory.from && context.evaluator.number(memory.from, env);
        const bytes = memory.size && context.evaluator.number(memory.size, env);
        if (start !== null) areas.push({ from: Number(start), end: memory.size && bytes !== null ? Number(start + bytes) : Infinity });
      });
    });
    return areas;
  }

  /* ------------------------------------------------------------ VMs */

  private declare(file: SourceFile): VmPlanner[] {
    const found: VmPlanner[] = [];
    const declare = (node: Vm, parent: VmPlanner | null): void => {
      const named = node.name && this.links.byDefinition.get(node.name);
      if (!named) return;
      const planner = new VmPlanner(this.context, this.host, node, named, { ...fileEnv(file), vm: named }, parent, this.readBytes);
      this.plans.set(named, planner);
      parent?.children.push(planner);
      found.push(planner);
      if (parent?.parent) reportUnsupported(this.context, { file }, node.name ?? node, 'deeper-vm');
      for (const item of node.body?.items ?? []) if (item.kind === 'vm') declare(item, planner);
    };
    for (const item of file.parsed.tree.items) if (item.kind === 'vm') declare(item, null);
    return found;
  }

  /* ------------------------------------------------------------ runs */

  private *run(node: Run, { under, kernel }: Only): Generator<void, readonly Program[]> {
    const named = this.links.vmOfRun(node);
    const plan = named && this.plans.get(named);
    if (!named || !plan || !node.body) return [];
    const kernels = kernel === undefined ? this.kernelsOf(node) : [kernel];
    const programs: Program[] = [];
    for (const way of under === undefined ? this.waysOf(node, plan) : [{ text: under, kinds: kindsFor(plan, [under]), at: null }]) {
      for (const each of kernels) {
        programs.push(...this.lower(node, plan, way, each));
        yield;
      }
    }
    return programs;
  }

  /** Under what a run runs its VM. */
  private waysOf(node: Run, plan: VmPlan): readonly Way[] {
    if (!node.under || node.under.kinds.length === 0) return [{ text: kindText(plan), kinds: kindsFor(plan, []), at: null }];
    const ways: Way[] = [];
    for (const kinds of this.once(node.under.kinds, textOfKinds)) {
      if (!this.depthFits(kinds, plan)) continue;
      const levels = kinds.levels.map((level) => level.text as MmuKind);
      ways.push({ text: textOfKinds(kinds), kinds: kindsFor(plan, levels), at: kinds });
    }
    return ways;
  }

  /** The kernels that a run names; null: that of the host. */
  private kernelsOf({ under }: Run): readonly (Kernel | null)[] {
    const known = (under?.kernels ?? []).filter(({ text }) => Object.hasOwn(KERNELS, text));
    return known.length === 0 ? [null] : this.once(known, ({ text }) => text).map(({ text }) => text as Kernel);
  }

  /** What a run lists, each once. */
  private once<N extends Node>(listed: readonly N[], textOf: (node: N) => string): readonly N[] {
    const seen = new Map<string, N>();
    for (const node of listed) {
      const text = textOf(node);
      if (seen.has(text)) this.context.warn({ file: this.files[0] }, node, 'kind-twice', `${text} stands here twice`);
      else seen.set(text, node);
    }
    return [...seen.values()];
  }

  private depthFits(kinds: MmuKinds, plan: VmPlan): boolean {
    let depth = 0;
    for (let vm: VmPlan | null = plan; vm; vm = vm.parent) depth++;
    if (kinds.levels.length <= depth) return kinds.levels.length > 0;
    const why = depth === 1 ? `${plan.named.name} runs on the host itself` : `${plan.named.name} has ${depth - 1} VM around it`;
    this.context.report(
      { file: this.files[0] },
      kinds,
      'too-many-levels',
      `${why}: a kind has at most ${depth} ${depth === 1 ? 'level' : 'levels'} here`,
    );
    return false;
  }

  private lower(node: Run, plan: VmPlan, { text, kinds, at }: Way, kernel: Kernel | null): Program[] {
    const file = this.files[0];
    const plans = machineOf(plan);
    const state = new RunState(this.host, plans, kinds, plan, kernel);
    if (!checkKinds(this.context, state, { file }, at ?? node.vm ?? headOf(node, 'run'))) return [];
    checkOfferedKeys(this.context, state);
    const script = new ScriptLowering(this.context, this.statements, state, this.coverage);
    const vm = state.vmOf(plan)!;
    script.all(node.body?.items ?? [], { env: { ...fileEnv(file), vm: plan.named }, vm, vcpu: 0, named: false, inHandler: false });
    if (script.acts.length === 0 && node.body?.closed && node.body.items.length === 0) {
      this.context.warn({ file }, headOf(node, 'run'), 'nothing-to-do', 'this run does nothing');
    }
    const title = node.title?.value ?? plan.named.name;
    const vms = state.vms.map(({ plan: each, mmu }) => this.config(each, mmu, plans));
    const name = `${title} under ${text}${kernel === null ? '' : ` with kernel ${kernel}`}`;
    const { acts, bound } = script;
    const named = bound.some((each) => each !== null);
    const memory = this.host.memory ?? memoryFor(vms, acts, state.host.maxPhyAddr);
    const machine = { host: { ...state.host, memory }, vms };
    return [{ name, machine, acts, ...(named ? { bound } : {}), budget: this.host.budget }];
  }

  private config(plan: VmPlan, mmu: MmuKind, machine: readonly VmPlan[]): VmConfig {
    return {
      name: plan.named.name,
      parent: plan.parent ? machine.indexOf(plan.parent) : null,
      mmu,
      hypervisor: plan.hypervisor,
      ...(plan.cpuid === this.host.config ? {} : { cpuid: plan.cpuid }),
      slots: plan.slots.map(({ node, config }) => ({ ...config, origin: this.statements.of(node) })),
      memory: plan.memory,
      vcpus: plan.vcpus.map(({ config }) => config),
      ...(plan.control ? { control: plan.control.config } : {}),
    };
  }
}

/** The whole machine of a VM: the outermost VM around it and all inside, parents first. */
function machineOf(plan: VmPlan): VmPlan[] {
  let root = plan;
  while (root.parent) root = root.parent;
  const vms: VmPlan[] = [];
  const add = (vm: VmPlan): void => {
    vms.push(vm);
    vm.children.forEach(add);
  };
  add(root);
  return vms;
}

/** Kinds of the run's VM and those around it, outwards; VMs that they do not name keep their own. */
function kindsFor(plan: VmPlan, levels: readonly MmuKind[]): Map<VmPlan, MmuKind> {
  const kinds = new Map(machineOf(plan).map((vm) => [vm, vm.mmu]));
  let vm: VmPlan | null = plan;
  for (const level of levels) {
    if (vm) kinds.set(vm, level);
    vm = vm?.parent ?? null;
  }
  return kinds;
}

function textOfKinds({ levels }: MmuKinds): string {
  return levels.map(({ text }) => text).join(' on ');
}

function kindText(plan: VmPlan): string {
  const kinds: string[] = [];
  for (let vm: VmPlan | null = plan; vm; vm = vm.parent) kinds.push(vm.mmu);
  return kinds.join(' on ');
}
