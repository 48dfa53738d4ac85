/** Where a range of a text is after edits. */
import type { TextDocumentContentChangeEvent } from 'vscode-languageserver-textdocument';
import type { Position, Range } from 'vscode-languageserver-types';

/** A part of a text replaced by another one. */
export interface Change {
  readonly range: Range;
  readonly text: string;
}

/**
 * The changes of an edit, each of the text as the one before left it.
 *
 * @param before the text before them, when one of them is of the whole text
 * @param after the text after them
 */
export function changesOf(
  changes: readonly TextDocumentContentChangeEvent[],
  before: () => string,
  after: () => string,
): readonly Change[] {
  return changes.every((each) => 'range' in each) ? (changes as readonly Change[]) : [changeBetween(before(), after())];
}

/** A range after changes, each of the text as the one before left it; null when what stood in it was replaced. */
export function movedRange(range: Range, changes: readonly Change[]): Range | null {
  let moved: Range | null = range;
  for (const change of changes) {
    moved = moved && movedOnce(moved, change);
    if (!moved) return null;
  }
  return moved;
}

function movedOnce({ start, end }: Range, { range, text }: Change): Range | null {
  const removes = compare(range.start, range.end) < 0;
  if (removes && compare(start, end) < 0 && compare(range.start, start) <= 0 && compare(end, range.end) <= 0) return null;
  const last = endOf(range.start, text);
  const shifted = (at: Position): Position => {
    const line = at.line + last.line - range.end.line;
    return { line, character: at.line === range.end.line ? at.character - range.end.character + last.character : at.character };
  };
  const from = compare(start, range.end) >= 0 ? shifted(start) : compare(start, range.start) <= 0 ? start : last;
  const to = compare(end, range.start) <= 0 ? end : compare(end, range.end) >= 0 ? shifted(end) : range.start;
  return { start: from, end: compare(from, to) > 0 ? from : to };
}

/** A range after changes; null when what stands in it is another text by now, or goes on into what was put beside it. */
export function untouchedRange(range: Range, changes: readonly Change[]): Range | null {
  let moved = range;
  for (const change of changes) {
    if (touches(moved, change)) return null;
    const next = movedOnce(moved, change);
    if (!next) return null;
    moved = next;
  }
  return moved;
}

function touches({ start, end }: Range, { range, text }: Change): boolean {
  const after = compare(range.start, end);
  const before = compare(range.end, start);
  if (after === 0) return text !== '' && !/^\s/.test(text);
  if (before === 0) return text !== '' && !/\s$/.test(text);
  return after < 0 && before > 0;
}

/** The line of a text, from 0, at which a line stands after changes of it. */
export function lineAfter(line: number, changes: readonly Change[]): number {
  const start = { line, character: 0 };
  return movedRange({ start, end: start }, changes)!.start.line;
}

/** The line of a text, from 0, that stands at a line after changes of it. */
export function lineBefore(line: number, changes: readonly Change[]): number {
  return lineAfter(line, [...changes].reverse().map(undoing));
}

/** A change as long as the one that undoes another one. */
function undoing({ range, text }: Change): Change {
  const { start, end } = range;
  const lines = end.line - start.line;
  const characters = lines === 0 ? end.character - start.character : end.character;
  return { range: { start, end: endOf(start, text) }, text: '\n'.repeat(lines) + ' '.repeat(characters) };
}

/** Where a text that begins somewhere ends. */
function endOf(start: Position, text: string): Position {
  const lines = text.split(/\r\n|\r|\n/);
  const { length } = lines[lines.length - 1];
  return lines.length === 1
    ? { line: start.line, character: start.character + length }
    : { line: start.line + lines.length - 1, character: length };
}

/** The one change that makes a text another one: of what stands between their common beginning and end. */
function changeBetween(before: string, after: string): Change {
  const most = Math.min(before.length, after.length);
  let from = 0;
  while (from < most && before.charCodeAt(from) === after.charCodeAt(from)) from++;
  let same = 0;
  while (same < most - from && before.charCodeAt(before.length - 1 - same) === after.charCodeAt(after.length - 1 - same)) same++;
  const origin = { line: 0, character: 0 };
  const range = { start: endOf(origin, before.slice(0, from)), end: endOf(origin, before.slice(0, before.length - same)) };
  return { range, text: after.slice(from, after.length - same) };
}

function compare(a: Position, b: Position): number {
  return a.line - b.line || a.character - b.character;
}
