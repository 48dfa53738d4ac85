/** What is wrong with a text. */
import type { Range } from './tree';

export type ProblemCode =
  | 'unexpected-character'
  | 'unterminated-comment'
  | 'unterminated-string'
  | 'bad-number'
  | 'number-too-large'
  | 'expected'
  | 'expected-close'
  | 'unexpected'
  | 'reserved-word'
  | 'unknown-setting'
  | 'unknown-choice'
  | 'unknown-flag'
  | 'unknown-word'
  | 'ambiguous-range'
  | 'expression-too-long'
  | 'too-deep'
  | 'too-large'
  | 'too-many-problems';

/** An edit that would mend the text, with a title for the editor's quick fix. */
export interface Fix {
  readonly title: string;
  readonly range: Range;
  readonly text: string;
}

export interface SyntaxProblem {
  readonly code: ProblemCode;
  /** In the field's words, no full stop. */
  readonly message: string;
  readonly range: Range;
  readonly fix?: Fix;
  /** Another place that explains it, as the brace that is not closed. */
  readonly related?: { readonly range: Range; readonly message: string };
}

/** Problems kept of a text; more are said to be there, and not listed. */
export const MAX_PROBLEMS = 200;

/** The word of `choices` nearest to `word` by edit distance, if it is near enough to be meant. */
export function nearest(word: string, choices: Iterable<string>): string | null {
  if (word.length > 40) return null;
  let best: string | null = null;
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const choice of choices) {
    const distance = editDistance(word.toLowerCase(), choice.toLowerCase());
    if (distance < bestDistance) {
      best = choice;
      bestDistance = distance;
    }
  }
  return best;
}

/** Insertions, deletions, changes, and exchanges of neighbours that make `b` of `a` (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const exchange = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? before[j - 2]! + 1 : Infinity;
      row.push(Math.min(row[j - 1]! + 1, previous[j]! + 1, change, exchange));
    }
    before = previous;
    previous = row;
  }
  return previous[b.length]!;
}
