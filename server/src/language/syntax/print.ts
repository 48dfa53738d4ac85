/**
 * The one printed form of a scenario. It changes white space alone: the tokens stand as they are written, so the tree stays.
 *
 * - A line for each item, indented by 2 for each body around it; a body may stay on one line (layout.ts).
 * - Single empty lines between items stay; more become one, and none stand at the edges of a body.
 * - Columns of mappings next to each other line up, as do the settings of slots and vCPUs on one line, and the `expect`s
 *   behind statements; each further `expect` has a line below the first. An empty line begins new columns (align.ts).
 * - Comments stay on their own line or behind what they stand behind; the latter line up.
 */
import { aligned, type Line } from './align';
import { INDENT, layoutOf, type Layout, type LineStart } from './layout';
import { parse, type Parsed } from './parse';
import { tokensOf } from './scan';
import * as t from './tokens';
import type { Token } from './tokens';
import type { Comment } from './tree';

/** The text in its printed form; null when it has syntax errors. Line ends and a byte-order mark stay as they are. */
export function format(scenario: Parsed | string): string | null {
  const parsed = typeof scenario === 'string' ? parse(scenario) : scenario;
  if (parsed.errors.length > 0) return null;
  const tokens = tokensOf(parsed.text);
  const lines = new Printer(parsed, tokens, layoutOf(parsed, tokens)).print();
  const text = aligned(lines).map((line) => `${line}\n`).join(''); // prettier-ignore
  const mark = parsed.text.startsWith('\uFEFF') ? '\uFEFF' : '';
  return mark + (/^[^\n]*\r\n/.test(parsed.text) ? text.replaceAll('\n', '\r\n') : text);
}

type Piece = { readonly token: Token } | { readonly comment: Comment };

const NONE_BEFORE = new Set([t.Comma, t.RParen, t.RSquare, t.Colon, t.Dot]);
const NONE_BEHIND = new Set([t.LParen, t.LSquare, t.Dot]);
/** Of a statement's further lines. */
const CONTINUED = 2 * INDENT;

class Printer {
  private readonly lines: Line[] = [];
  private readonly source: string;
  /** The line that is being written; null: the next piece begins one. */
  private line: Line | null = null;
  /** The item around, for lines within it. */
  private item: LineStart = { indent: 0, kind: 'plain' };
  private last: Piece | null = null;

  constructor(
    parsed: Parsed,
    private readonly tokens: readonly Token[],
    private readonly layout: Layout,
  ) {
    this.source = parsed.text;
    this.comments = parsed.tree.comments;
  }

  private readonly comments: readonly Comment[];

  print(): readonly Line[] {
    let next = 0;
    this.tokens.forEach((token) => {
      for (; next < this.comments.length && this.comments[next]!.range.start < token.startOffset; next++)
        this.comment(this.comments[next]!, token);
      this.token(token);
    });
    for (; next < this.comments.length; next++) this.comment(this.comments[next]!, null);
    return this.lines;
  }

  private token(token: Token): void {
    const start = this.layout.lines.get(token.startOffset);
    if (start) {
      this.item = start;
      this.begin(token.startOffset, start.indent * INDENT, start.kind, [token.image], token.tokenType !== t.RCurly);
    } else if (this.layout.below.has(token.startOffset) || (!this.line && this.layout.columns.has(token.startOffset))) {
      this.begin(token.startOffset, this.item.indent * INDENT, this.item.kind, ['', token.image], false);
    } else if (!this.line) {
      this.begin(token.startOffset, this.item.indent * INDENT + CONTINUED, 'plain', [token.image], false);
    } else if (this.layout.columns.has(token.startOffset)) {
      this.line.cells.push(token.image);
    } else this.append(this.gap(token) + token.image);
    this.last = { token };
  }

  private begin(offset: number, indent: number, kind: Line['kind'], cells: string[], mayBlank: boolean): void {
    const opened = this.last && 'token' in this.last && this.last.token.tokenType === t.LCurly;
    const blank = mayBlank && this.last !== null && !opened && this.newlinesBefore(offset) > 1;
    this.line = { kind, indent, blank, cells, comment: '' };
    this.lines.push(this.line);
  }

  private append(text: string): void {
    const { cells } = this.line!;
    cells.push(cells.pop()! + text);
  }

  private gap(token: Token): string {
    if (NONE_BEFORE.has(token.tokenType)) return '';
    if (this.last && 'comment' in this.last) return ' ';
    if (this.layout.apart.has(token.startOffset)) return '  ';
    if (this.layout.tight.has(token.startOffset)) return '';
    return this.last && NONE_BEHIND.has(this.last.token.tokenType) ? '' : ' ';
  }

  private newlinesBefore(offset: number): number {
    const from = this.last === null ? 0 : endOf(this.last);
    return this.source.slice(from, offset).match(/\r\n|\r|\n/g)?.length ?? 0;
  }

  /* ------------------------------------------------------------ comments */

  private comment(comment: Comment, next: Token | null): void {
    const text = this.source
      .slice(comment.range.start, comment.range.end)
      .replace(/[^\S\r\n]+(?=\r|\n|$)/g, '')
      .replace(/\r\n?/g, '\n');
    const start = next && this.layout.lines.get(next.startOffset);
    const endsItem = next === null || start !== undefined || this.layout.below.has(next.startOffset);
    if (this.line === null || this.last === null || this.newlinesBefore(comment.range.start) > 0)
      this.ownLine(comment, text, next, start ?? null);
    else if (endsItem || !comment.block) {
      this.line.comment += this.line.comment === '' ? text : ` ${text}`;
      if (!comment.block) this.line = null;
    } else this.append(` ${text}`);
    this.last = { comment };
  }

  private ownLine(comment: Comment, text: string, next: Token | null, start: LineStart | null): void {
    const closes = next?.tokenType === t.RCurly ? INDENT : 0;
    const indent = start ? start.indent * INDENT + closes : next === null ? 0 : this.item.indent * INDENT + CONTINUED;
    this.begin(comment.range.start, indent, 'comment', [shifted(text, indent)], start !== null || next === null);
    this.line = null;
  }
}

/** A comment over several lines that each begin with `*` moves as a whole. */
function shifted(text: string, indent: number): string {
  const [first, ...rest] = text.split('\n');
  if (!rest.every((line) => /^\s*\*/.test(line))) return text;
  return [first, ...rest.map((line) => `${' '.repeat(indent + 1)}${line.trimStart()}`)].join('\n');
}

function endOf(piece: Piece): number {
  return 'token' in piece ? t.rangeOf(piece.token).end : piece.comment.range.end;
}
