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
import type { Counts } from '../events/totals/counts';
import { drained } from '../language/steps';
import { evaluate } from './expectations';
import type { Ended, Outcome, RunRecord } from './record';
import { RunTotals } from './totals';

export interface Hooks {
  /** A monotonic clock in milliseconds; without one there is no budget of time. */
  now?(): number;
  /** Milliseconds that the run may take by {@link now}. */
  readonly timeLimit?: number;
  /** Milliseconds that the runs of a file have together, of which this one has a part. */
  readonly sharedLimit?: number;
  /** Asked before acts; true ends the run. */
  cancelled?(): boolean;
  /** Told now and then how much is done, from 0 to 1. */
  progress?(fraction: number): void;
}

/** Steps and expectations between two looks at clock, cancellation and progress. */
const LOOK_EVERY = 64;

export function execute(program: Program, hooks: Hooks = {}): RunRecord {
  return drained(inSteps(program, hooks));
}

/** The same in steps, between which other work can be done. */
export function inSteps(program: Program, hooks: Hooks): Generator<void, RunRecord> {
  return new Execution(program, hooks).run();
}

/** An act under way. */
interface Doing {
  readonly act: Do<Exclude<Act['do'], 'expect'>>;
  readonly index: number;
  readonly from: number;
  readonly count: number;
  /** Repetitions done. */
  done: number;
  readonly exits: Map<string, number>;
  references: number;
  result: Result | null;
}

type Do<K extends Act['do']> = Extract<Act, { do: K }>;

class Execution {
  private readonly journal: Journal;
  private readonly outcomes: Outcome[] = [];
  private readonly started: number;
  private machine: Machine | null = null;
  private setup = 0;
  private steps = 0;
  private looks = 0;
  private ended: Ended | null = null;
  private readonly totals: RunTotals;
  /** The outcome that expectations are about: of the last act that is none. */
  private last: Outcome | null = null;

  constructor(
    private readonly program: Program,
    private readonly hooks: Hooks,
  ) {
    this.journal = new Journal(program.budget.events);
    this.totals = new RunTotals(program);
    this.started = hooks.now?.() ?? 0;
  }

  *run(): Generator<void, RunRecord> {
    try {
      this.start();
      const { acts } = this.program;
      for (let index = 0; index < acts.length && !this.ended; index++) {
        const act = acts[index];
        if (act.do === 'expect') {
          if (this.lookDue()) yield;
          if (!this.ended) this.expect(act, index);
          continue;
        }
        const doing = this.begin(act, index);
        while (this.repeat(doing)) yield;
        this.finish(doing);
      }
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
    if (machine.setup.length > 0) this.ended = { how: 'not-started' };
    this.checkBudgets();
  }

  private begin(act: Doing['act'], index: number): Doing {
    const from = this.journal.length;
    this.journal.actor = Actor.user;
    this.journal.row(Kind.statement, 0, 0, low(act.origin), high(act.origin), low(index), high(index));
    const count = act.do === 'access' ? Math.max(1, act.count) : 1;
    return { act, index, from, count, done: 0, exits: new Map(), references: 0, result: null };
  }

  /** Performs an act's repetitions until a look was due, or all are done; true when there are more. */
  private repeat(doing: Doing): boolean {
    const { act, exits } = doing;
    while (doing.done < doing.count) {
      const most = this.stepsAhead(doing.count - doing.done);
      if (most === 0) return false;
      const machine = this.machine!;
      const performed = act.do === 'access' ? machine.repeat(act, doing.done, most) : { ...machine.perform(act), done: 1 };
      for (const each of performed.exits) exits.set(each.reason, (exits.get(each.reason) ?? 0) + each.count);
      doing.references += performed.references;
      doing.result = performed.result;
      doing.done += performed.done;
      this.steps += performed.done;
      this.looks += performed.done - 1;
      this.checkBudgets();
      if (this.lookDue() && !this.ended) return true;
    }
    return false;
  }

  private finish({ act, index, from, exits, references, result }: Doing): void {
    if (result === null) return;
    const outcome: Outcome = { act: index, origin: act.origin, from, to: this.journal.length, result, exits: counts(exits), references };
    this.outcomes.push(outcome);
    // `check invariants` is judged by the machine, and is no act that expectations could be about.
    if (result.kind !== 'expectation') this.last = outcome;
  }

  /** An expectation writes nothing into the journal: the run is the same with and without it. */
  private expect(act: Do<'expect'>, index: number): void {
    const at = this.journal.length;
    const { journal, last, program } = this;
    const totals = (): Counts => this.totals.upTo(journal);
    const result = evaluate(act, { machine: this.machine!, journal, last, program, totals });
    this.outcomes.push({ act: index, origin: act.origin, from: at, to: at, result, exits: [], references: 0 });
  }

  /** How many of so many steps may be done before the next look; 0: none, the run has ended. */
  private stepsAhead(wanted: number): number {
    if (this.ended) return 0;
    const { steps } = this.program.budget;
    if (this.steps >= steps) {
      this.ended = { how: 'budget', which: 'steps', limit: steps };
      return 0;
    }
    if (this.steps === 0) this.look();
    return this.ended ? 0 : Math.min(wanted, steps - this.steps, LOOK_EVERY - (this.looks % LOOK_EVERY));
  }

  /** Looks when it is time to; true when it was. */
  private lookDue(): boolean {
    if (++this.looks % LOOK_EVERY !== 0) return false;
    this.look();
    return true;
  }

  private look(): void {
    const { now, timeLimit, sharedLimit, cancelled, progress } = this.hooks;
    progress?.call(this.hooks, this.last ? (this.last.act + 1) / this.program.acts.length : 0);
    if (cancelled?.call(this.hooks)) this.ended = { how: 'cancelled' };
    else if (now && timeLimit !== undefined && now.call(this.hooks) - this.started > timeLimit) {
      this.ended = { how: 'budget', which: 'time', limit: timeLimit, ...(sharedLimit !== undefined && { of: sharedLimit }) };
    }
  }

  private checkBudgets(): void {
    const { budget } = this.program;
    if (this.journal.full) this.ended ??= { how: 'budget', which: 'events', limit: budget.events };
    else if (this.machine!.exhausted) this.ended ??= { how: 'budget', which: 'memory', limit: budget.memory };
  }
}

function counts(exits: ReadonlyMap<string, number>): ExitCount[] {
  return [...exits].map(([reason, count]) => ({ reason, count }));
}
