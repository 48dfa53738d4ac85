/** Formatting: the document as the printer writes it, as the smallest edits of whole lines. */
import type { Range, TextEdit } from 'vscode-languageserver-types';
import type { Analysis } from '../language/analysis';
import { format } from '../language/syntax/print';
import { lineEdits } from './line-edits';

/** No edits when the text has syntax errors: the printer would have to guess. */
export function formatting(analysis: Analysis): TextEdit[] {
  const printed = format(analysis.parsed);
  if (printed === null) return [];
  const { text } = analysis.parsed;
  return lineEdits(text, text.includes('\r\n') ? printed.replace(/\r?\n/g, '\r\n') : printed);
}

/** The edits of {@link formatting} that touch the lines of a range. */
export function rangeFormatting(analysis: Analysis, range: Range): TextEdit[] {
  return formatting(analysis).filter((edit) => edit.range.start.line <= range.end.line && edit.range.end.line >= range.start.line);
}
