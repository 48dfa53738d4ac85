/** Selection ranges: from the word at a position outwards, node by node. */
import type { Position, SelectionRange } from 'vscode-languageserver-types';
import type { Analysis } from '../language/analysis';
import { pathAt } from '../language/syntax/tree';
import { lspRange } from './places';

export function selectionRanges(analysis: Analysis, positions: readonly Position[]): SelectionRange[] {
  return positions.map((position) => {
    const path = pathAt(analysis.parsed.tree, analysis.offsetAt(position));
    let range: SelectionRange | undefined;
    let last: { start: number; end: number } | undefined;
    for (const node of path) {
      if (last && last.start === node.range.start && last.end === node.range.end) continue;
      last = node.range;
      range = { range: lspRange(analysis, node.range), parent: range };
    }
    return range ?? { range: { start: position, end: position } };
  });
}
