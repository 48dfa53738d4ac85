/** What an older text came to, at the places where its statements stand by now; what was edited since is left out. */
import type { CodeLens, InlayHint, Range } from 'vscode-languageserver-types';
import type { StatementHint } from '../services/inlay-hints';
import { untouchedRange } from './moves';
import type { Change } from './moves';

const OLDER = 'of an older text';

/** Lines of an older text at which what stands in lines of the text of now can have stood. */
export function olderRange({ start, end }: Range, changes: readonly Change[]): Range {
  let [put, removed] = [0, 0];
  for (const { range, text } of changes) {
    put += text.split(/\r\n|\r|\n/).length - 1;
    removed += range.end.line - range.start.line;
  }
  return { start: { line: Math.max(0, start.line - put), character: 0 }, end: { line: end.line + removed, character: 0 } };
}

/** Hints in a range of the text of now. */
export function olderHints(hints: readonly StatementHint[], changes: readonly Change[], { start, end }: Range): InlayHint[] {
  return hints.flatMap(({ statement, hint }) => {
    const moved = untouchedRange(statement, changes);
    if (!moved || moved.end.line < start.line || moved.start.line > end.line) return [];
    const tooltip = typeof hint.tooltip === 'object' ? { ...hint.tooltip, value: `*${OLDER}*\n\n${hint.tooltip.value}` } : hint.tooltip;
    return [{ ...hint, position: moved.end, label: `(older) ${String(hint.label)}`, tooltip }];
  });
}

/** Lenses that stand over an older text's runs. */
export function olderLenses(lenses: readonly CodeLens[], changes: readonly Change[]): CodeLens[] {
  return lenses.flatMap(({ range, command, ...rest }) => {
    const moved = untouchedRange(range, changes);
    if (!moved || !command) return [];
    return [{ ...rest, range: moved, command: { ...command, title: `${command.title}, ${OLDER}` } }];
  });
}
