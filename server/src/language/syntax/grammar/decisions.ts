/**
 * How the parser decides: by the next token, and by gates for what the token alone does not tell. For each token the alternatives that can
 * begin with it are looked up; the first of them whose gate is open is taken.
 */
import * as t from '../vocabulary';

/** Indices of kinds with which something can begin, categories among them. */
export type First = readonly number[];

/** The decisions of a rule as the recorded grammar has them, each with the number that its author gave it; plain data. */
export interface RecordedDecisions {
  /** The alternatives in their order; `always` is the one that can be nothing at all, -1: there is none. */
  readonly choices: readonly (readonly [index: number, choice: { readonly alternatives: readonly First[]; readonly always: number }])[];
  readonly options: readonly (readonly [index: number, first: First])[];
  readonly repetitions: readonly (readonly [index: number, first: First])[];
}

/** By the names of rules. */
export type DecisionTable = { readonly [rule: string]: RecordedDecisions };

/** Of a choice. */
interface Alternatives {
  /** Those that a token can begin, in their order, by the token's kind. */
  readonly byKind: readonly (readonly number[])[];
  /** The one that can be nothing at all; -1: there is none. */
  readonly always: number;
}

/** Of a rule, by the numbers of its decisions; 1 for the kinds with which an option or a repetition can begin. */
export interface Decisions {
  readonly choices: readonly Alternatives[];
  readonly options: readonly Uint8Array[];
  readonly repetitions: readonly Uint8Array[];
}

export const NO_DECISIONS: Decisions = { choices: [], options: [], repetitions: [] };

export function decisionsOf({ choices, options, repetitions }: RecordedDecisions): Decisions {
  return {
    choices: byIndex(choices, alternativesOf),
    options: byIndex(options, beginnings),
    repetitions: byIndex(repetitions, beginnings),
  };
}

function byIndex<T, U>(all: readonly (readonly [index: number, value: T])[], made: (value: T) => U): U[] {
  const found: U[] = [];
  for (const [index, value] of all) found[index] = made(value);
  return found;
}

const NO_ALTERNATIVES: readonly number[] = [];

function alternativesOf({ alternatives, always }: { readonly alternatives: readonly First[]; readonly always: number }): Alternatives {
  const byKind = new Array<readonly number[]>(t.KINDS_END).fill(NO_ALTERNATIVES);
  alternatives.forEach((first, index) => {
    for (const category of first) {
      for (const kind of t.indicesIn(category)) {
        const before = byKind[kind]!;
        // Once, though it may be in several categories.
        if (before[before.length - 1] !== index) byKind[kind] = [...before, index];
      }
    }
  });
  return { byKind, always };
}

function beginnings(first: First): Uint8Array {
  const begins = new Uint8Array(t.KINDS_END);
  for (const category of first) for (const kind of t.indicesIn(category)) begins[kind] = 1;
  return begins;
}
