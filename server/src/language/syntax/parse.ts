/** Text to tree. Never throws; always gives a tree. */
import type { File, Range } from './tree';

/** What is wrong with the text, at its place. */
export interface SyntaxProblem {
  /** Stable name for the diagnostic, as `expected-close`. */
  readonly code: string;
  readonly message: string;
  readonly range: Range;
  /** Edits that would mend it, when that is plain; titles are for the editor's quick fix. */
  readonly fix?: { readonly title: string; readonly range: Range; readonly text: string };
}

export interface Parsed {
  readonly text: string;
  readonly tree: File;
  readonly errors: readonly SyntaxProblem[];
}

export declare function parse(text: string): Parsed;
