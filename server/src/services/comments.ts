/** Comments as explanations of what stands below them. */
import type { Parsed } from '../language/syntax/parse';
import { plainText } from './markdown';

/** The line comments right above an offset's line, without their slashes, as Markdown; null when there are none. */
export function commentAbove({ text, tree }: Parsed, offset: number): string | null {
  const lines: string[] = [];
  let lineStart = text.lastIndexOf('\n', offset - 1) + 1;
  for (const { range, block } of [...tree.comments].reverse()) {
    if (range.end > lineStart) continue;
    if (block || !/^\r?\n$/.test(text.slice(range.end, lineStart))) break;
    const start = text.lastIndexOf('\n', range.start - 1) + 1;
    if (text.slice(start, range.start).trim() !== '') break;
    lines.unshift(text.slice(range.start, range.end).replace(/^\/\/ ?/, ''));
    lineStart = start;
  }
  return lines.length > 0 ? plainText(lines.join('\n')) : null;
}
