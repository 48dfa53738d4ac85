/**
 * A run with what every view of it needs: the script's statements for positions, and, made on first use and kept, the index
 * of steps and one movable state. Nothing here changes the run.
 */
import type { Bound } from '../engine/program';
import { State } from '../engine/journal/state';
import type { StatementPlace } from '../language/places';
import type { Outcome, RunRecord } from '../run/record';
import { MachineState } from './machine-state';
import { StepIndex } from './steps';

/** What views know of the script: its statements by their origin. */
export interface Script {
  readonly statements: readonly StatementPlace[];
  /** A statement's text with the values that names in it stood for; without, it is as it stands. */
  written?(origin: number, bound: Bound): string;
}

export class RunView {
  private readonly movable: State;
  /** Behind {@link machine}. */
  private readonly walked: State;
  private rebuilt: { readonly position: number; readonly machine: MachineState } | null = null;
  private index: StepIndex | null = null;
  private byOrigin: Map<number, Outcome[]> | null = null;

  constructor(
    readonly record: RunRecord,
    readonly script: Script,
  ) {
    this.movable = new State(record);
    this.walked = new State(record);
  }

  /** The state just before a row. One state moves for all askers: use it before asking again. */
  state(position: number): State {
    return this.movable.seek(position);
  }

  /** The machine just before a row, to be looked at. One machine for all askers: use it before asking again. */
  machine(position: number): MachineState {
    if (!this.rebuilt || this.rebuilt.position !== position) {
      this.rebuilt = { position, machine: new MachineState(this.walked.seek(position), this.record.program.machine) };
    }
    return this.rebuilt.machine;
  }

  get steps(): StepIndex {
    return (this.index ??= new StepIndex(this.record, this.script));
  }

  /** Outcomes of a statement and of the expectations about it, in order of execution (several in a loop or a block). */
  outcomesOf(origin: number): readonly Outcome[] {
    if (!this.byOrigin) {
      this.byOrigin = new Map();
      for (const outcome of this.record.outcomes) {
        this.addOutcome(this.byOrigin, outcome.origin, outcome);
        const of = this.script.statements[outcome.origin]?.of;
        if (of !== undefined && of !== outcome.origin) this.addOutcome(this.byOrigin, of, outcome);
      }
    }
    return this.byOrigin.get(origin) ?? [];
  }

  private addOutcome(map: Map<number, Outcome[]>, origin: number, outcome: Outcome): void {
    const list = map.get(origin);
    if (list) list.push(outcome);
    else map.set(origin, [outcome]);
  }

  statement(origin: number): StatementPlace | null {
    return this.script.statements[origin] ?? null;
  }
}
