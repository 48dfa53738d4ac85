/**
 * Executing a program: acts in order, with their repetitions, under the budgets, into a run record. Never throws: a failure
 * of the engine ends the run and keeps what there is.
 */
import { low, high } from '../engine/bits';
import { Actor, Kind } from '../engine/journal/events';
import { Journal } from '../engine/journal/journal';
import { Machine } from '../engine/machine';
import type { Act, Program } from '../engine/program';
import type { ExitCount, Result } from '../engine/result';
import { evaluate } from './expectations';
import type { Ended, Outcome, RunRecord } from './record';

export interface Hooks {
  /** A monotonic clock in milliseconds; without one there is no budget of time. */
  now?(): number;
  /** Milliseconds that the run may take by {@link now}. */
  readonly timeLimit?: number;
  /** Asked before acts; true ends the run. */
  cancelled?(): boolean;
  /** Told now and then how many acts are done, of how many. */
  progress?(done: number, of: number): void;
}

/** Steps between two looks at clock, cancellation and progress. */
const LOOK_EVERY = 64;

export function execute(program: Program, hooks: Hooks = {}): RunRecord {
  return new Execution(program, hooks).run();
}

type Do<K extends Act['do']> = Extract<Act, { do: K }>;

class Execution {
  private readonly journal: Journal;
  private readonly outcomes: Outcome[] = [];
  private readonly started: number;
  private machine: Machine | null = null;
  private setup = 0;
  private steps = 0;
  private ended: Ended | null = null;
  /** The outcome that expectations are about: of the last act that is none. */
  private last: Outcome | null = null;

  constructor(
    private readonly program: Program,
    private readonly hooks: Hooks,
  ) {
    this.journal = new Journal(program.budget.events);
    this.started = hooks.now?.() ?? 0;
  }

  run(): RunRecord {
    try {
      this.start();
      const { acts } = this.program;
      for (let index = 0; index < acts.length && !this.ended; index++) this.perform(acts[index], index);
    } catch (error) {
      this.ended = { how: 'failed', message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    }
    return {
      program: this.program,
      words: this.journal.words,
      length: this.journal.length,
      setup: this.setup,
      outcomes: this.outcomes,
      ended: this.ended ?? { how: 'done' },
    };
  }

  private start(): void {
    const machine = new Machine(this.program.machine, this.journal, this.program.budget);
    this.machine = machine;
    this.setup = this.journal.length;
    for (const { origin, result } of machine.setup) {
      this.outcomes.push({ act: -1, origin, from: 0, to: this.setup, result, exits: [], references: 0 });
    }
    this.checkBudgets();
  }

  private perform(act: Act, index: number): void {
    if (act.do === 'expect') {
      this.expect(act, index);
      return;
    }
    const machine = this.machine!;
    const from = this.journal.length;
    this.journal.actor = Actor.user;
    this.journal.row(Kind.statement, 0, 0, low(act.origin), high(act.origin), low(index), high(index));
    const count = act.do === 'access' ? Math.max(1, act.count) : 1;
    const exits = new Map<string, number>();
    let references = 0;
    let result: Result | null = null;
    for (let i = 0; i < count && this.mayStep(); i++) {
      const done = machine.perform(i === 0 ? act : repetition(act as Do<'access'>, i));
      for (const each of done.exits) exits.set(each.reason, (exits.get(each.reason) ?? 0) + each.count);
      references += done.references;
      result = done.result;
      this.checkBudgets();
    }
    if (result === null) return;
    const outcome: Outcome = { act: index, origin: act.origin, from, to: this.journal.length, result, exits: counts(exits), references };
    this.outcomes.push(outcome);
    // `check invariants` is judged by the machine, and is no act that expectations could be about.
    if (result.kind !== 'expectation') this.last = outcome;
  }

  /** An expectation writes nothing into the journal: the run is the same with and without it. */
  private expect(act: Do<'expect'>, index: number): void {
    const at = this.journal.length;
    const result = evaluate(act, { machine: this.machine!, journal: this.journal, last: this.last, program: this.program });
    this.outcomes.push({ act: index, origin: act.origin, from: at, to: at, result, exits: [], references: 0 });
  }

  /** Counts a step; false when it must not be done any more. */
  private mayStep(): boolean {
    if (this.ended) return false;
    const { steps } = this.program.budget;
    if (this.steps >= steps) {
      this.ended = { how: 'budget', which: 'steps', limit: steps };
      return false;
    }
    if (this.steps++ % LOOK_EVERY === 0) this.look();
    return !this.ended;
  }

  private look(): void {
    const { now, timeLimit, cancelled, progress } = this.hooks;
    progress?.call(this.hooks, this.last ? this.last.act + 1 : 0, this.program.acts.length);
    if (cancelled?.call(this.hooks)) this.ended = { how: 'cancelled' };
    else if (now && timeLimit !== undefined && now.call(this.hooks) - this.started > timeLimit) {
      this.ended = { how: 'budget', which: 'time', limit: timeLimit };
    }
  }

  private checkBudgets(): void {
    const { budget } = this.program;
    if (this.journal.full) this.ended ??= { how: 'budget', which: 'events', limit: budget.events };
    else if (this.machine!.exhausted) this.ended ??= { how: 'budget', which: 'memory', limit: budget.memory };
  }
}

/** The i-th repetition of a strided access, as one access. */
function repetition(act: Do<'access'>, i: number): Do<'access'> {
  return { ...act, address: BigInt.asUintN(64, act.address + BigInt(i) * act.stride), count: 1 };
}

function counts(exits: ReadonlyMap<string, number>): ExitCount[] {
  return [...exits].map(([reason, count]) => ({ reason, count }));
}
