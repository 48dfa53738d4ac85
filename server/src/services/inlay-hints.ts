/** Inlay hints: behind each statement what it came to when it ran. */
import { MarkupKind } from 'vscode-languageserver-types';
import type { InlayHint, Range } from 'vscode-languageserver-types';
import type { Analysis } from '../language/analysis';
import { firstAt } from '../language/syntax/comments';
import type { RunView } from '../views/view';
import { longText, outcomesByKind, shortText } from './run-text';

interface InlayHintOptions {
  /** Say how many exits. */
  readonly exits: boolean;
}

/** A hint with the statement that it is of, up to its end, where the hint stands. */
export interface StatementHint {
  readonly statement: Range;
  readonly hint: InlayHint;
}

export function inlayHints(analysis: Analysis, views: readonly RunView[], range: Range, { exits }: InlayHintOptions): StatementHint[] {
  const hints: StatementHint[] = [];
  const ends = new LineEnds(analysis.parsed.text);
  analysis.statements.forEach((place, origin) => {
    const { start } = place.range;
    if (place.uri !== analysis.uri || start.line < range.start.line || start.line > range.end.line) return;
    const outcomes = outcomesByKind(views, origin);
    // A declaration says something only when it was refused.
    const declared = outcomes.every(({ outcome }) => outcome.outcomes.every(({ act, result }) => act < 0 && result.kind !== 'error'));
    const label = declared ? '' : shortText(outcomes, exits);
    if (label === '') return;
    const from = analysis.statementNodes[origin].range.start;
    const end = endOfStatement(analysis, from, ends.of(start.line, from));
    const statement = { start, end: analysis.locate(analysis.uri, { start: 0, end }).range.end };
    const tooltip = { kind: MarkupKind.Markdown, value: longText(outcomes) };
    hints.push({ statement, hint: { position: statement.end, label, paddingLeft: true, tooltip } });
  });
  return hints;
}

/** Behind the last thing on the line where a statement begins that is not a comment. @param start offset of the statement */
function endOfStatement(analysis: Analysis, start: number, endOfLine: number): number {
  const { text, tree } = analysis.parsed;
  const comment = tree.comments[firstAt(tree.comments, start + 1)]?.range.start ?? endOfLine;
  let end = Math.min(comment, endOfLine);
  while (end > start && /\s/.test(text[end - 1])) end--;
  return end;
}

/** Where lines end, each looked for once: many statements can stand on one. */
class LineEnds {
  private line = -1;
  private end = 0;

  constructor(private readonly text: string) {}

  /** @param offset on the line */
  of(line: number, offset: number): number {
    if (line === this.line) return this.end;
    const rest = /[^\r\n]*/y;
    rest.lastIndex = offset;
    this.line = line;
    this.end = offset + (rest.exec(this.text)?.[0].length ?? 0);
    return this.end;
  }
}
