/** The ways that the grammar lets a text go on at a place: what the explorer finds, from a text and an offset. */
import { Explorer, type Way } from './grammar/explorer';
import type { BodyOf } from './grammar/lists';
import { DECISION_TABLE } from './grammar/decision-table';
import { scan } from './scan';
import * as t from './tokens';

interface WaysAt {
  /** Where the word at the place begins; it is replaced. Within a string: where its quote stands. */
  readonly start: number;
  readonly ways: readonly Way[];
  /** The bodies around the place, the innermost last. */
  readonly bodies: readonly BodyOf[];
  /** The place is in quotes. */
  readonly quoted: boolean;
  /** Nothing stands before the place on its line. */
  readonly onNewLine: boolean;
}

/** The word, or its beginning, that the cursor is at the end of. */
const WORD_BEFORE = /(?:#?[A-Za-z_][A-Za-z0-9_]*|#|(?<![A-Za-z0-9_])(?:[0-9]+-[a-z]*|[0-9]+\.[0-9]*|[0-9][A-Za-z0-9_]*))$/;

let explorer: Explorer | undefined;

/** The ways at an offset, for a word that is written there or replaces the one before the cursor; null in a comment. */
export function waysAt(text: string, offset: number): WaysAt | null {
  const head = text.slice(0, offset);
  const quote = openQuote(head);
  if (quote === 'comment') return null;
  const start = quote ?? offset - (WORD_BEFORE.exec(head)?.[0].length ?? 0);
  const before = head.slice(0, start);
  const scanned = scan(before);
  const column = columnAt(scanned.tokens);
  const found = (explorer ??= new Explorer(DECISION_TABLE)).explore(scanned, lastDeclaration(scanned.tokens), column);
  return { start, ...found, quoted: quote !== null, onNewLine: column >= 0 };
}

/** Where the string begins that is not closed at the end of the text; null: there is none. */
function openQuote(head: string): number | 'comment' | null {
  const { tokens, comments } = scan(head);
  const comment = comments.at(-1);
  if (comment?.range.end === head.length && (!comment.block || !/^\/\*[^]*\*\/$/.test(head.slice(comment.range.start)))) return 'comment';
  const { image, startOffset } = tokens.at(tokens.count - 1);
  const isOpen = image.startsWith('"') && !/^"[^"]*"$/.test(image) && startOffset + image.length === head.length;
  return isOpen ? startOffset : null;
}

/** The column of the end of a text if a new line has begun behind its last token; otherwise -1. */
function columnAt({ text, count, ends }: t.TokenList): number {
  const from = count > 0 ? ends[count - 1]! : 0;
  const space = text.slice(from);
  const line = Math.max(space.lastIndexOf('\n'), space.lastIndexOf('\r'));
  if (line < 0) return count > 0 ? -1 : space.length;
  return space.length - line - 1;
}

const DECLARATIONS = t.kindsOf(['import', 'const', 'host', 'budget', 'vm', 'block', 'run']);

/** Index of the token with which the declaration begins that the end is in, or behind: what stands before it does not matter. */
function lastDeclaration({ kinds, columns, count }: t.TokenList): number {
  let depth = 0;
  let from = 0;
  for (let index = 0; index < count; index++) {
    const kind = kinds[index]!;
    if (kind === t.LCurly.tokenTypeIdx) depth++;
    else if (kind === t.RCurly.tokenTypeIdx && depth > 0) depth--;
    else if (depth === 0 && columns[index]! >= 0 && DECLARATIONS.has(kind)) from = index;
  }
  return from;
}
