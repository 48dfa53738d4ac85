/** The script of a run: statements to acts, loops and blocks unrolled, for one kind of MMU virtualization. */
import type { Act, Bound, Performer } from '../../engine/program';
import type { Named } from '../semantics/scopes';
import type { Statements } from '../semantics/statements';
import type { Env } from '../semantics/values';
import { statementKind } from '../statements/kinds';
import type { Block, Expect, Handler, HostAct, Node, Statement, Under } from '../syntax/tree';
import type { Context } from './context';
import { lowerExpect } from './expectations';
import { Activity } from './idle';
import { Rounds } from './rounds';
import type { RunState, RunVm } from './run-state';

/** Acts of one program at most; long streams of accesses are one act with a count. */
const MOST_ACTS = 100_000;
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
  /** Of each act. */
  readonly bound: (Bound | null)[] = [];
  readonly rounds: Rounds;
  private readonly calls: Named[] = [];
  /** A limit is reached; nothing more is lowered. */
  full = false;
  private lowered = 0;
  /** Some act stands before, so that an expectation has something to be about. */
  private acted = false;

  constructor(
    readonly context: Context,
    readonly statements: Statements,
    readonly run: RunState,
    private readonly coverage: Coverage,
  ) {
    const activity = new Activity(context.links, (under) => run.isUnder(under));
    this.rounds = new Rounds(context, (item) => activity.does(item as Statement));
  }

  performer(frame: Frame): Performer {
    return { vm: frame.vm.index, vcpu: frame.vcpu };
  }

  all(items: readonly Statement[], frame: Frame, out: Act[] = this.acts): void {
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
    if (out === this.acts) this.bound.push(env.bound);
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

  private statement(node: Statement, frame: Frame, out: Act[]): void {
    if (node.kind === 'error') return;
    const kind = statementKind(node);
    kind.lower(this, node, frame, out);
    if (kind.ends && 'expects' in node) this.expectAll(node.expects, node, frame, out);
  }

  /** @param of the act that they follow; null: they are about the last one, or about what is now */
  expectAll(expects: readonly Expect[], of: Statement | HostAct | null, frame: Frame, out: Act[]): void {
    const active = expects.filter((expect) => this.isUnder(expect.under, frame.env));
    if (active.length > 0) lowerExpect(this, active, of, frame, out, this.acted);
  }

  /** A block may not call itself, nor others too deep. */
  canCall(block: Named): boolean {
    return !this.calls.includes(block) && this.calls.length < DEEPEST_CALL;
  }

  /** The statements of a block, with its parameters in the frame. */
  block(named: Named, node: Block, frame: Frame, out: Act[] = this.acts): void {
    this.coverage.called.add(named);
    this.calls.push(named);
    this.all(node.body?.items ?? [], frame, out);
    this.calls.pop();
  }
}
