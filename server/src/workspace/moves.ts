/** Where a range of a text is after edits. */
import type { Position, Range } from 'vscode-languageserver-types';

/** A part of a text replaced by another one. */
export interface Change {
  readonly range: Range;
  readonly text: string;
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

/** Where a text that begins somewhere ends. */
function endOf(start: Position, text: string): Position {
  const lines = text.split(/\r\n|\r|\n/);
  const { length } = lines[lines.length - 1];
  return lines.length === 1
    ? { line: start.line, character: start.character + length }
    : { line: start.line + lines.length - 1, character: length };
}

/** The one change that makes a text another one: of what stands between their common beginning and end. */
export function changeBetween(before: string, after: string): Change {
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
