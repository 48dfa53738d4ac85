/** The difference between two texts as edits of whole lines. */
import type { TextEdit } from 'vscode-languageserver-types';

/** Beyond this many lines times lines the part that differs is replaced as a whole. */
const MOST_WORK = 4_000_000;

export function lineEdits(before: string, after: string): TextEdit[] {
  if (before === after) return [];
  const a = linesOf(before);
  const b = linesOf(after);
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const from = a.slice(head, a.length - tail);
  const to = b.slice(head, b.length - tail);
  return hunks(from, to).map(({ start, end, text }) => ({
    range: { start: position(a, head + start), end: position(a, head + end) },
    newText: text,
  }));
}

interface Hunk {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Runs of lines of `from` that become others, by the longest common subsequence. */
function hunks(from: readonly string[], to: readonly string[]): Hunk[] {
  if (from.length * to.length > MOST_WORK) return [{ start: 0, end: from.length, text: to.join('') }];
  const width = to.length + 1;
  const lengths = new Uint32Array((from.length + 1) * width);
  for (let i = from.length - 1; i >= 0; i--) {
    for (let j = to.length - 1; j >= 0; j--) {
      const at = i * width + j;
      lengths[at] = from[i] === to[j] ? lengths[at + width + 1] + 1 : Math.max(lengths[at + width], lengths[at + 1]);
    }
  }
  const found: { start: number; end: number; text: string }[] = [];
  for (let i = 0, j = 0; i < from.length || j < to.length;) {
    if (i < from.length && j < to.length && from[i] === to[j]) {
      i++;
      j++;
      continue;
    }
    let hunk = found.at(-1);
    if (!hunk || hunk.end !== i) found.push((hunk = { start: i, end: i, text: '' }));
    const insert = i === from.length || (j < to.length && lengths[i * width + j + 1] >= lengths[(i + 1) * width + j]);
    if (insert) hunk.text += to[j++];
    else hunk.end = ++i;
  }
  return found;
}

/** Lines with what ends them. */
function linesOf(text: string): string[] {
  return text.match(/[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$/g) ?? [];
}

/** Where a line begins; for the one behind the last, where the text ends. */
function position(lines: readonly string[], line: number): { line: number; character: number } {
  const last = lines[lines.length - 1];
  if (line < lines.length || last === undefined || /[\r\n]$/.test(last)) return { line, character: 0 };
  return { line: lines.length - 1, character: last.length };
}
