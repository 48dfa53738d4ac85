/** Lines with columns to text: columns of neighbouring lines of one kind line up, as do their comments. */
import { INDENT, type LineKind } from './layout';

export interface Line {
  readonly kind: LineKind | 'comment';
  /** Columns from the left. */
  readonly indent: number;
  /** An empty line stands before it. */
  readonly blank: boolean;
  /** Texts of its columns; a line in the second column has an empty first one. */
  readonly cells: string[];
  /** A comment behind it. */
  comment: string;
}

/** Wider statements do not push the `expect`s of their neighbours to the right. */
const WIDEST_STATEMENT = 56;
/** Between columns, and before a comment. */
const GAP = '  ';

/** The text of each line, empty lines included. */
export function aligned(lines: readonly Line[]): string[] {
  const texts = new Array<string>(lines.length);
  for (let start = 0; start < lines.length;) {
    const end = sectionEnd(lines, start);
    alignColumns(lines.slice(start, end)).forEach((text, index) => (texts[start + index] = text));
    start = end;
  }
  alignComments(lines, texts);
  return lines.flatMap((line, index) => (line.blank ? ['', texts[index]!] : [texts[index]!]));
}

/** Lines next to each other of one kind, comments among them. */
function sectionEnd(lines: readonly Line[], start: number): number {
  let end = start + 1;
  let kind = lines[start]!.kind;
  for (; end < lines.length && !lines[end]!.blank && lines[end]!.indent === lines[start]!.indent; end++) {
    const next = lines[end]!.kind;
    if (kind === 'comment') kind = next;
    else if (next !== 'comment' && next !== kind) break;
  }
  return end;
}

function alignColumns(lines: readonly Line[]): string[] {
  const code = lines.filter((line) => line.kind !== 'comment');
  const kind = code[0]?.kind ?? 'plain';
  const widths = kind === 'statement' ? [statementWidth(code)] : kind === 'mapping' ? columnWidths(code) : settingsWidths(code);
  return lines.map((line) => {
    const last = line.cells.length - 1;
    const cells = line.cells.map((cell, index) => (index < last ? cell.padEnd(widths[index] ?? 0) : cell));
    return `${' '.repeat(line.indent)}${cells.join(GAP)}`.trimEnd();
  });
}

/** Widths of columns, those that another one follows. */
function columnWidths(lines: readonly Line[]): number[] {
  const widths: number[] = [];
  for (const { cells } of lines) cells.slice(0, -1).forEach((cell, index) => (widths[index] = Math.max(widths[index] ?? 0, cell.length)));
  return widths;
}

/** Settings share columns as far as the lines name the same ones. */
function settingsWidths(lines: readonly Line[]): number[] {
  const names = lines.map(({ cells }) => cells.map((cell) => cell.replace(/^.*\{ /, '').split(' ')[0]!));
  const widths = columnWidths(lines);
  const same = widths.findIndex((_, index) => names.some((each) => index < each.length && each[index] !== names[0]![index]));
  return same < 0 ? widths : widths.slice(0, same);
}

/** Where the `expect`s of statements stand. */
function statementWidth(lines: readonly Line[]): number {
  const widths = lines.filter(({ cells }) => cells.length > 1).map(({ cells }) => cells[0]!.length);
  const widest = Math.max(0, ...widths.filter((width) => width <= WIDEST_STATEMENT));
  return widest > 0 ? widest : INDENT;
}

/** Comments behind lines of one kind next to each other begin in one column. */
function alignComments(lines: readonly Line[], texts: string[]): void {
  for (let start = 0; start < lines.length;) {
    let end = start;
    while (end < lines.length && lines[end]!.comment !== '' && (end === start || isBelow(lines[end]!, lines[end - 1]!))) end++;
    const widest = Math.max(...texts.slice(start, end).map(lastLineLength));
    for (let index = start; index < end; index++) {
      texts[index] += ' '.repeat(widest - lastLineLength(texts[index]!)) + GAP + lines[index]!.comment;
    }
    start = Math.max(end, start + 1);
  }
}

function isBelow(line: Line, above: Line): boolean {
  return !line.blank && line.kind === above.kind && line.indent === above.indent;
}

function lastLineLength(text: string): number {
  return text.length - (text.lastIndexOf('\n') + 1);
}
