/**
 * The run record: everything a view needs, plain and transferable. Views are pure functions of it (and of the syntax tree,
 * for positions).
 */
import type { Program } from '../engine/program';
import type { ExitCount, Result } from '../engine/result';

export interface RunRecord {
  readonly program: Program;
  /** Journal rows, ROW_WORDS 32-bit words each (engine/journal/journal.ts). */
  readonly words: Int32Array;
  readonly length: number;
  /** Row at which the script starts; rows before it set the machine up. */
  readonly setup: number;
  readonly outcomes: readonly Outcome[];
  readonly ended: Ended;
}

/**
 * How a run ended. `not-started`: the machine could not be had as declared, and the outcomes of its declarations say why. `budget` keeps what there is; `limit` is a number of steps, rows, bytes or milliseconds, `of` the
 * milliseconds of all runs of the file, of which this one had a part.
 */
export type Ended =
  | { readonly how: 'done' }
  | { readonly how: 'budget'; readonly which: 'steps' | 'events' | 'memory' | 'time'; readonly limit: number; readonly of?: number }
  | { readonly how: 'not-started' }
  | { readonly how: 'cancelled' }
  | { readonly how: 'failed'; readonly message: string };

/** What one executed act did. A strided access has one outcome, of its last repetition, with the totals of all. */
export interface Outcome {
  /** Index into program.acts; -1 for a declaration of the machine (a slot that KVM refuses). */
  readonly act: number;
  /** Statement of the script. */
  readonly origin: number;
  /** Journal rows [from, to). */
  readonly from: number;
  readonly to: number;
  readonly result: Result;
  readonly exits: readonly ExitCount[];
  /** Paging-structure entries that the processor read. */
  readonly references: number;
}
