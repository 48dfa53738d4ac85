/** Folding: bodies in braces, block comments, and runs of line comments and imports. */
import { FoldingRangeKind } from 'vscode-languageserver-types';
import type { FoldingRange } from 'vscode-languageserver-types';
import type { Analysis } from '../language/analysis';
import { walk } from '../language/syntax/tree';
import type { Range } from '../language/syntax/tree';
import { lspRange } from './places';

/** @param limit ranges at most; the outermost come first */
export function foldingRanges(analysis: Analysis, limit = 5000): FoldingRange[] {
  const { tree } = analysis.parsed;
  const found: FoldingRange[] = [];
  const add = (range: Range, kind?: FoldingRangeKind): void => {
    const { start, end } = lspRange(analysis, range);
    // The line of the closing brace stays in sight.
    const last = kind === undefined ? end.line - 1 : end.line;
    if (last > start.line) found.push({ startLine: start.line, endLine: last, ...(kind && { kind }) });
  };
  for (const node of walk(tree)) if (node.kind === 'body') add(node.range);
  for (const range of together(analysis, tree.comments)) add(range, FoldingRangeKind.Comment);
  for (const range of together(analysis, tree.items.filter(({ kind }) => kind === 'import'))) add(range, FoldingRangeKind.Imports); // prettier-ignore
  return found.slice(0, limit);
}

/** Ranges that follow each other line by line, with nothing but space between, as one. */
function together(analysis: Analysis, nodes: readonly { readonly range: Range }[]): Range[] {
  const { text } = analysis.parsed;
  const merged: { start: number; end: number }[] = [];
  for (const { range } of nodes) {
    const last = merged.at(-1);
    const between = last ? text.slice(last.end, range.start) : '';
    if (last && /^[ \t]*\r?\n[ \t]*$/.test(between) && alone(text, last.start) && alone(text, range.start)) last.end = range.end;
    else merged.push({ ...range });
  }
  return merged;
}

/** Nothing stands before it on its line. */
function alone(text: string, offset: number): boolean {
  return /^[ \t]*$/.test(text.slice(text.lastIndexOf('\n', offset - 1) + 1, offset));
}
