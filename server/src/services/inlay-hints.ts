/** Inlay hints: behind each statement what it came to when it ran. */
import { MarkupKind } from 'vscode-languageserver-types';
import type { InlayHint, Range } from 'vscode-languageserver-types';
import type { Analysis } from '../language/analysis';
import type { RunView } from '../views/view';
import { longText, outcomesByKind, shortText } from './run-text';

export interface InlayHintOptions {
  /** Say how many exits. */
  readonly exits: boolean;
}

export function inlayHints(analysis: Analysis, views: readonly RunView[], range: Range, { exits }: InlayHintOptions): InlayHint[] {
  const hints: InlayHint[] = [];
  analysis.statements.forEach((place, origin) => {
    const { start } = place.range;
    if (place.uri !== analysis.uri || start.line < range.start.line || start.line > range.end.line) return;
    const outcomes = outcomesByKind(views, origin);
    // A declaration says something only when it was refused.
    const declared = outcomes.every(({ outcome }) => outcome.outcomes.every(({ act, result }) => act < 0 && result.kind !== 'error'));
    const label = declared ? '' : shortText(outcomes, exits);
    if (label === '') return;
    const position = analysis.locate(analysis.uri, { start: 0, end: endOfFirstLine(analysis, origin) }).range.end;
    hints.push({ position, label, paddingLeft: true, tooltip: { kind: MarkupKind.Markdown, value: longText(outcomes) } });
  });
  return hints;
}

/** Behind the last thing on the line where a statement begins that is not a comment. */
function endOfFirstLine(analysis: Analysis, origin: number): number {
  const { text, tree } = analysis.parsed;
  const { start } = analysis.statementNodes[origin].range;
  const line = /[^\r\n]*/y;
  line.lastIndex = start;
  let end = start + (line.exec(text)?.[0].length ?? 0);
  for (const { range } of tree.comments) if (range.start > start && range.start < end) end = range.start;
  return start + text.slice(start, end).trimEnd().length;
}
