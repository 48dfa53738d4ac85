/** Runs beside each other: the same script under other kinds, kernels or options, or before and after an edit. Plain values. */
import type { NamedCount } from './totals';

/** What of a statement is not the same in all runs; `executed`: some did not execute it. */
export type Difference = 'executed' | 'text' | 'outcome' | 'expectations' | 'exits' | 'references' | 'entries';

/** What differs, in words. */
export const DIFFERENCES: { readonly [difference in Difference]: string } = {
  executed: 'executed or not',
  text: 'written otherwise',
  outcome: 'outcome',
  expectations: 'expectations',
  exits: 'exits',
  references: 'references',
  entries: 'changed entries',
};

/** A paging-structure entry that a statement changed. */
export interface ChangedEntry {
  /** As `EPT1[9] of gfn 0x9`. */
  readonly what: string;
  readonly from: string;
  readonly to: string;
  /** As `A set`. */
  readonly note: string;
}

/** A statement in one run, with all its executions. */
export interface ComparedStatement {
  readonly text: string;
  /** Zero-based. */
  readonly line: number | null;
  readonly times: number;
  /** What it came to, without its exits: `→ hpa 0x61_0123`, `#PF(U)`; empty when there is nothing to say. */
  readonly outcome: string;
  /** Expectations that failed, with what happened instead. */
  readonly failed: readonly string[];
  readonly exits: readonly NamedCount[];
  readonly references: number;
  /** By its first execution, the first ones. */
  readonly entries: readonly ChangedEntry[];
  /** Further ones. */
  readonly moreEntries: number;
}

/** A run as it is compared. */
export interface ComparedRun {
  /** As `guest under ept`. */
  readonly name: string;
  readonly ended: string;
  readonly statements: readonly ComparedStatement[];
  readonly exits: readonly NamedCount[];
  readonly references: readonly NamedCount[];
  readonly statistics: readonly NamedCount[];
}

export interface ComparedLine {
  /** One for each run; null: not executed there. */
  readonly in: readonly (ComparedStatement | null)[];
  readonly differs: readonly Difference[];
}

/** A count by name, one for each run. */
export interface ComparedCount {
  readonly name: string;
  readonly counts: readonly number[];
}

export interface ComparisonView {
  readonly runs: readonly { readonly name: string; readonly short: string; readonly ended: string }[];
  readonly lines: readonly ComparedLine[];
  readonly exits: readonly ComparedCount[];
  readonly references: readonly ComparedCount[];
  readonly statistics: readonly ComparedCount[];
  /** Statements that differ. */
  readonly differing: number;
}
