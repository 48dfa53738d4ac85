/** What can be fuzzed. */
import { documentRound } from './documents';
import { pathRound } from './paths';
import { programRound } from './programs';
import { sessionRound } from './sessions';

export interface Found {
  readonly message: string;
  /** The document that shows it; null: the message says all. */
  readonly input: string | null;
}

export interface Round {
  readonly tried: number;
  readonly found: Found | null;
}

export interface Fuzzer {
  readonly about: string;
  /** A round of some seconds; the same seed gives the same. */
  round(seed: number): Promise<Round>;
}

export const FUZZERS: { readonly [kind: string]: Fuzzer } = {
  documents: { about: 'texts through parsing, checks, the formatter, runs, exports and every feature of the editor', round: documentRound },
  sessions: { about: 'clients of the language server that send anything', round: sessionRound },
  programs: { about: 'machines of every kind, their invariants and what nested ones show', round: programRound },
  paths: { about: 'files that scenarios name', round: pathRound },
};
