/** The script of a run: statements to acts, loops and blocks unrolled, for one kind of MMU virtualization. */
import type { Act, Performer } from '../../engine/program';
import type { Block, Call, Expect, Handler, HostActs, Node, Performed, Under } from '../syntax/tree';
import type { Named } from '../semantics/scopes';
import type { Statements } from '../semantics/statements';
import type { Env, Value } from '../semantics/values';
import { lowerAct } from './acts';
import type { Context } from './context';
import { lowerExpect } from './expectations';
import { lowerHostAct } from './host-acts';
import { Activity } from './idle';
import { Rounds } from './rounds';
import type { RunState, RunVm } from './run-state';
import { reportUnsupported } from './unsupported';

/** Acts of one program at most; long streams of accesses are one act with a count. */
export const MOST_ACTS = 100_000;
/** Statements lowered for one program at most, those that make no act too. */
const MOST_STATEMENTS = 2_000_000;
/** Blocks called by one another at most. */
const DEEPEST_CALL = 50;

/** What runs reach: parts that stand under some kinds of MMU, met at all and matched by some run, and blocks. */
export class Coverage {
  readonly met = new Map<Under, Env>();
  readonly matched = new Set<Under>();
  /** Blocks that were called. */
  readonly called = new Set<Named>();
}

/** Whether an act is expected to end in #GP, so that it is no mistake. */
export function expectsGp(script: ScriptLowering, expects: readonly Expect[]): boolean {
  return expects.some(
    (expect) => script.run.isUnder(expect.under) && expect.of.some((each) => each.kind === 'expect-fault' && each.fault === '#GP'),
  );
}

/** Where a statement stands as it is lowered. */
export interface Frame {
  readonly env: Env;
  readonly vm: RunVm;
  readonly vcpu: number;
  /** The script names the VM, so that acts of a VMM are of this VM's. */
  readonly named: boolean;
  readonly inHandler: boolean;
}

export class ScriptLowering {
  readonly acts: Act[] = [];
  private readonly rounds: Rounds;
  private readonly calls: Named[] = [];
  private full = false;
  private lowered = 0;
  /** Some act stands before, so that an expectation has something to be about. */
  private acted = false;

  constructor(
    readonly context: Context,
    readonly statements: Statements,
    readonly run: RunState,
    private readonly coverage: Coverage,
  ) {
    this.rounds = new Rounds(context, new Activity(context.links, (under) => run.isUnder(under)).does);
  }

  performer(frame: Frame): Performer {
    return { vm: frame.vm.index, vcpu: frame.vcpu };
  }

  all(items: readonly Node[], frame: Frame, out: Act[] = this.acts): void {
    for (const item of items) {
      if (this.full || !this.context.budget.step(frame.env, item)) return;
      if (++this.lowered > MOST_STATEMENTS) return this.tooMany(item, frame.env, MOST_STATEMENTS, 'statements');
      this.statement(item, frame, out);
    }
  }

  /** Acts of a handler; registers that it loads are unknown from then on. */
  handler(handler: Handler, frame: Frame, faultAddress: bigint | null): Act[] {
    const acts: Act[] = [];
    const acted = this.acted;
    this.all(handler.body?.items ?? [], { ...frame, env: { ...frame.env, faultAddress }, inHandler: true }, acts);
    this.acted = acted;
    return acts;
  }

  emit(act: Act, out: Act[], node: Node, env: Env): void {
    if (this.acts.length >= MOST_ACTS || out.length >= MOST_ACTS) return this.tooMany(node, env, MOST_ACTS, 'acts');
    if (!this.context.budget.act(env, node)) return;
    if (act.do !== 'expect') this.acted = true;
    out.push(act);
  }

  private tooMany(node: Node, env: Env, most: number, what: string): void {
    this.full = true;
    const message = `the script has more than ${most} ${what}; a stream of accesses is one act with a count: read a x 1000 step 4K`;
    this.context.report(env, node, 'too-many-acts', message);
  }

  isUnder(under: Under | null, env: Env): boolean {
    if (!under) return true;
    this.coverage.met.set(under, env);
    const is = this.run.isUnder(under);
    if (is) this.coverage.matched.add(under);
    return is;
  }

  private statement(node: Node, frame: Frame, out: Act[]): void {
    const { context } = this;
    switch (node.kind) {
      case 'access':
      case 'edit':
      case 'memory-word':
      case 'register-load':
      case 'invalidate':
      case 'enter':
        lowerAct(this, node, frame, out);
        return this.expectAll(node.expects, node, frame, out);
      case 'performed':
        return this.performed(node, frame, out);
      case 'host-acts':
        return this.hostActs(node, frame, out);
      case 'for':
        for (const env of this.rounds.of(node, frame.env)) {
          if (this.full) return;
          this.all(node.body?.items ?? [], { ...frame, env }, out);
        }
        return;
      case 'under-statement':
        if (this.isUnder(node.under, frame.env)) this.all(node.body?.items ?? [], frame, out);
        return;
      case 'call':
        return this.call(node, frame, out);
      case 'expect':
        return this.expectAll([node], null, frame, out);
      case 'same': {
        if (!this.isUnder(node.under, frame.env)) return;
        const by = { vm: this.run.chain[0].index, vcpu: 0 };
        return this.emit({ do: 'expect', origin: this.statements.of(node), by, what: { kind: 'same' } }, out, node, frame.env);
      }
      case 'check-invariants':
        return this.emit({ do: 'check-invariants', origin: this.statements.of(node) }, out, node, frame.env);
      case 'replay':
        return reportUnsupported(context, frame.env, node, 'replay');
      default:
        return;
    }
  }

  private expectAll(expects: readonly Expect[], of: Node | null, frame: Frame, out: Act[]): void {
    const active = expects.filter((expect) => this.isUnder(expect.under, frame.env));
    if (active.length > 0) lowerExpect(this, active, of, frame, out, this.acted);
  }

  private performed(node: Performed, frame: Frame, out: Act[]): void {
    const { context, run } = this;
    let { vm, vcpu, named } = frame;
    if (node.vm) {
      const target = context.links.byReference.get(node.vm);
      const found = target && run.vmNamed(target);
      if (target && !found) {
        const related = [{ file: target.file, node: target.definition, message: `${target.name} is declared here` }];
        context.report(
          frame.env,
          node.vm,
          'not-in-run',
          `${target.name} is not part of this run: it is neither inside nor around the VM that runs`,
          { related },
        );
      }
      if (!found) return;
      if (found !== vm) vcpu = 0;
      vm = found;
      named = true;
    }
    if (node.vcpu) {
      const { text } = node.vcpu;
      const index = vm.plan.vcpus.findIndex(({ config }) => config.name === text);
      if (index < 0) {
        context.report(
          frame.env,
          node.vcpu,
          'unknown-name',
          `${vm.plan.named.name} has no vCPU ${text}; it has ${vm.plan.vcpus.map(({ config }) => config.name).join(', ')}`,
        );
        return;
      }
      vcpu = index;
    }
    const inner: Frame = { ...frame, vm, vcpu, named, env: { ...frame.env, vm: vm.plan.named } };
    this.all(node.statement ? [node.statement] : (node.body?.items ?? []), inner, out);
  }

  private hostActs(node: HostActs, frame: Frame, out: Act[]): void {
    if (frame.inHandler) {
      this.context.report(frame.env, node, 'host-in-handler', 'a handler is code of the guest: it cannot act for the host');
      return;
    }
    for (const act of node.act ? [node.act] : (node.body?.items ?? [])) {
      if (act.kind !== 'host-act') continue;
      lowerHostAct(this, act, frame, out);
      this.expectAll(act.expects, act, frame, out);
    }
  }

  private call(node: Call, frame: Frame, out: Act[]): void {
    const { context } = this;
    const block = context.links.byReference.get(node.block);
    if (!block || block.node.kind !== 'block') return;
    const { parameters } = block.node;
    if (node.arguments.length !== parameters.length) {
      const related = [{ file: block.file, node: block.definition, message: `${block.name} is defined here` }];
      const wanted = parameters.length === 0 ? 'no arguments' : parameters.length === 1 ? 'one argument' : `${parameters.length} arguments`;
      context.report(
        frame.env,
        node,
        'wrong-arguments',
        `${block.name} takes ${wanted}: ${block.name}(${parameters.map((each) => each.text).join(', ')})`,
        { related },
      );
      return;
    }
    if (this.calls.includes(block) || this.calls.length >= DEEPEST_CALL) {
      context.report(frame.env, node, 'call-cycle', `${block.name} calls itself, and nothing would end it`);
      return;
    }
    const locals = new Map<Named, Value>();
    parameters.forEach((parameter, index) => {
      const named = context.links.byDefinition.get(parameter);
      if (named) locals.set(named, context.evaluator.value(node.arguments[index], frame.env));
    });
    this.block(block, block.node, { ...frame, env: { ...frame.env, file: block.file, locals } }, out);
    this.expectAll(node.expects, null, frame, out);
  }

  /** The statements of a block, with its parameters in the frame. */
  block(named: Named, node: Block, frame: Frame, out: Act[] = this.acts): void {
    this.coverage.called.add(named);
    this.calls.push(named);
    this.all(node.body?.items ?? [], frame, out);
    this.calls.pop();
  }
}
