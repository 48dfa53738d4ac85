/** What a trace comes to: plain values, for every view of it. */
import type { MmuKind } from '../engine/program';
import type { Release } from '../events/kernel-text/versions';
import type { Vendor } from './episodes/exit';
import type { Folded } from './folding/run';
import type { HeadForm } from './lines/line-head';
import type { Zapper } from './memory/zapper';
import type { TraceProblem } from './problems';
import type { ReadCounts } from './read-counts';
import type { Certainty } from './rules/rule';
import type { RuleName } from './rules/rules';
import type { Summary } from './summary/summary';

/** What is known of a machine. */
export interface RecordingFacts {
  readonly host: string | null;
  /** The form that most of its lines have. */
  readonly form: HeadForm;
  readonly byPlugin: boolean;
  readonly vendor: Vendor | null;
  readonly mmu: MmuKind | null;
  /** First release whose texts these are, and first whose they are no more. */
  readonly since: Release | null;
  readonly until: Release | null;
  readonly nested: boolean;
  readonly hasMmuEvents: boolean;
  readonly vcpus: readonly number[];
  /** Times are ticks of a clock, not nanoseconds. */
  readonly ticks: boolean;
}

export interface Finding {
  readonly rule: RuleName;
  readonly sure: Certainty;
  /** Episodes, or loops, that it is found in. */
  count: number;
  /** Lines of the first ones. */
  readonly lines: number[];
  /** Of the first. */
  readonly said: string;
  /** Of a repetition: its episodes. */
  episodes: number;
}

export interface Answer {
  readonly question: 'why does it loop?' | 'why so many exits?' | 'who zapped this?';
  readonly said: readonly string[];
}

/** Folded episodes with what rules say of the first of each. */
export interface Listed {
  readonly folded: Folded;
  readonly rules: readonly RuleName[];
}

export interface Explanation {
  readonly lines: number;
  readonly bytes: number;
  readonly counts: ReadCounts;
  readonly problems: readonly TraceProblem[];
  readonly recordings: readonly RecordingFacts[];
  readonly summary: Summary;
  readonly zappers: readonly Zapper[];
  readonly findings: readonly Finding[];
  readonly answers: readonly Answer[];
  /** By their first lines; those in the middle of a long trace are left out, and counted. */
  readonly listed: readonly Listed[];
  readonly leftOut: number;
  /** The user has ended it, or the trace could not be read to its end. */
  readonly ended: 'whole' | 'interrupted' | 'broken';
}
