/** The ways that the grammar lets a text go on at a place: what the explorer finds, from a text and an offset. */
import type { IToken } from 'chevrotain';
import { Explorer, type Way } from './grammar/explorer';
import type { BodyOf } from './grammar/lists';
import * as t from './tokens';

export interface WaysAt {
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
const WORD_BEFORE = /(?:#?[A-Za-z_][A-Za-z0-9_]*|#|(?<![A-Za-z0-9_])(?:[0-9]+-[a-z]*|[0-9]+\.|[0-9][A-Za-z0-9_]*))$/;

let explorer: Explorer | undefined;

/** The ways at an offset, for a word that is written there or replaces the one before the cursor; null in a comment. */
export function waysAt(text: string, offset: number): WaysAt | null {
  const head = text.slice(0, offset);
  const quote = openQuote(head);
  if (quote === 'comment') return null;
  const start = quote ?? offset - (WORD_BEFORE.exec(head)?.[0].length ?? 0);
  const before = head.slice(0, start);
  const tokens = t.tokenize(before);
  const column = columnAt(before, tokens.tokens.at(-1));
  const found = (explorer ??= new Explorer()).explore(before, fromLastDeclaration(tokens), column);
  return { start, ...found, quoted: quote !== null, onNewLine: column !== null };
}

/** Where the string begins that is not closed at the end of the text; null: there is none. */
function openQuote(head: string): number | 'comment' | null {
  const { tokens, comments } = t.tokenize(head);
  const comment = comments.at(-1);
  if (comment?.range.end === head.length && (!comment.block || !/^\/\*[^]*\*\/$/.test(head.slice(comment.range.start)))) return 'comment';
  const last = tokens.at(-1);
  const isOpen = last?.image.startsWith('"') && !/^"[^"]*"$/.test(last.image) && last.startOffset + last.image.length === head.length;
  return isOpen ? last!.startOffset : null;
}

/** The column of the place if a new line has begun behind the last token. */
function columnAt(before: string, last: IToken | undefined): number | null {
  const from = last ? last.startOffset + last.image.length : 0;
  const space = before.slice(from);
  const line = Math.max(space.lastIndexOf('\n'), space.lastIndexOf('\r'));
  if (line < 0) return last ? null : space.length;
  return space.length - line - 1;
}

const DECLARATIONS = new Set(['import', 'const', 'host', 'budget', 'vm', 'block', 'run'].map(t.word));

/** What stands before the declaration that the place is in, or behind, does not matter. */
function fromLastDeclaration(all: t.Tokens): t.Tokens {
  const { tokens } = all;
  let depth = 0;
  let from = 0;
  tokens.forEach(({ tokenType }, index) => {
    if (tokenType === t.LCurly) depth++;
    else if (tokenType === t.RCurly && depth > 0) depth--;
    else if (depth === 0 && DECLARATIONS.has(tokenType) && t.columnOf(tokens[index]!) !== null) from = index;
  });
  return from === 0 ? all : { ...all, tokens: tokens.slice(from) };
}
