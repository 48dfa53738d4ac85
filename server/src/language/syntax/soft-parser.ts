/**
 * The parser's ground: tokens that are missing are reported and null, so that every rule returns its node with what there
 * is. After a report the parser is in panic and reports no more, until the list of statements around it has skipped to the
 * next place where one can begin: the next line, a word that begins one, or the closing brace.
 *
 * Chevrotain's own recovery is off: it resynchronizes on any token that may follow, which in a language without separators
 * is nearly every one.
 */
import { EmbeddedActionsParser, EOF, type IToken, type TokenType } from 'chevrotain';
import { nearest, type Fix, type ProblemCode, type SyntaxProblem } from './problem';
import { columnOf, isReserved, LCurly, LParen, LSquare, rangeOf, RCurly, reserved, Str, VOCABULARY, Word } from './tokens';
import type { Body, Definition, DefinitionOf, ErrorNode, Node, Range, Reference, Text, Word as WordNode, WordAs } from './tree';

/** Words that end any body in which they cannot stand, when they begin a line: its `}` is missing. */
const OUTER: ReadonlySet<TokenType> = new Set(['import', 'budget', 'block', 'run'].map(reserved));

export abstract class SoftParser extends EmbeddedActionsParser {
  problems: SyntaxProblem[] = [];
  /** A report was made in this statement; see above. */
  protected panic = false;
  /** Second look at a text with a missing `}`: a line indented no deeper than the body's first line ends the body. */
  byIndentation = false;
  /** Column of the last token that began a line. */
  private lineColumn = 0;
  /** Tokens of the text, for {@link lastEnd}. */
  protected text = '';

  constructor() {
    super(VOCABULARY, { recoveryEnabled: false, maxLookahead: 1, skipValidations: false });
  }

  /* ------------------------------------------------------------ positions */

  protected next(ahead = 1): IToken {
    return this.LA(ahead);
  }

  protected is(type: TokenType, ahead = 1): boolean {
    return this.LA(ahead).tokenType === type;
  }

  protected isWord(text: string, ahead = 1): boolean {
    const token = this.LA(ahead);
    return token.tokenType === Word && token.image === text;
  }

  protected atEnd(): boolean {
    return this.LA(1).tokenType === EOF;
  }

  /** Where the next token begins; at the end of the text, where the last one ends. */
  protected here(): number {
    return this.atEnd() ? this.lastEnd() : this.LA(1).startOffset;
  }

  protected lastEnd(): number {
    const last = this.LA(0);
    return last.tokenType === EOF ? 0 : last.startOffset + last.image.length;
  }

  protected since(start: number): Range {
    return { start, end: Math.max(start, this.lastEnd()) };
  }

  /** Begins a new line. */
  protected onNewLine(ahead = 1): boolean {
    return columnOf(this.LA(ahead)) !== null;
  }

  /* ------------------------------------------------------------ reports */

  protected report(code: ProblemCode, message: string, range: Range, more: { fix?: Fix; related?: SyntaxProblem['related'] } = {}): void {
    if (!this.RECORDING_PHASE) this.problems.push({ code, message, range, ...more });
  }

  /** What stands next, as a message names it. */
  protected found(): string {
    const token = this.LA(1);
    if (token.tokenType === EOF) return 'the end of the file';
    return token.image.length > 30 ? `'${token.image.slice(0, 30)}…'` : `'${token.image}'`;
  }

  /** `expected …`, at the next token if it is on the same line, otherwise behind the last one; once a statement. */
  protected expected(what: string, fix?: { title: string; text: string }): void {
    if (this.panic || this.RECORDING_PHASE) return;
    this.panic = true;
    const behind = { start: this.lastEnd(), end: this.lastEnd() };
    const sameLine = !this.atEnd() && !this.onNewLine();
    const range = sameLine ? rangeOf(this.LA(1)) : behind;
    const message = sameLine ? `expected ${what}, found ${this.found()}` : `expected ${what}`;
    this.report('expected', message, range, fix ? { fix: { ...fix, range: behind } } : {});
  }

  /** `word` is none of `choices`; says which are and offers the nearest. Not a panic. */
  protected unknown(code: ProblemCode, what: string, word: { text: string; range: Range }, choices: readonly string[]): void {
    const near = nearest(word.text, choices);
    const shown = choices.length > 12 ? `${choices.slice(0, 12).join(', ')}, …` : choices.join(', ');
    const hint = near ? `did you mean ${near}?` : `there are ${shown}`;
    this.report(code, `unknown ${what} '${word.text}': ${hint}`, word.range, near ? { fix: { title: `Change to ${near}`, range: word.range, text: near } } : {});
  }

  /* ------------------------------------------------------------ tokens */

  /** The next token if it is of that type, otherwise null and a report. */
  protected need(index: number, type: TokenType, what = type.LABEL ?? type.name): IToken | null {
    const token = this.maybe(index, type);
    if (token) return token;
    const sign = /^'(.+)'$/.exec(what)?.[1];
    this.expected(what, sign ? { title: `Insert ${sign}`, text: /^[\w=]/.test(sign) ? ` ${sign}` : sign } : undefined);
    return null;
  }

  /** The next token if it is of that type. */
  protected maybe(index: number, type: TokenType, gate: () => boolean = () => true): IToken | null {
    let token: IToken | null = null;
    this.option(index, {
      GATE: gate,
      DEF: () => {
        token = this.consume(index, type);
      },
    });
    return token;
  }

  /** Whether the next token is of that type; it is taken. */
  protected got(index: number, type: TokenType): boolean {
    return this.maybe(index, type) !== null;
  }

  /** The next token if it is of one of these types. */
  protected oneOf(index: number, ...types: readonly TokenType[]): IToken | null {
    let token: IToken | null = null;
    this.or(index, [
      ...types.map((type) => ({
        ALT: () => {
          token = this.consume(index, type);
        },
      })),
      { ALT: () => undefined },
    ]);
    return token;
  }

  /** The next token whatever it is. */
  protected take(): IToken {
    const token = this.LA(1);
    if (!this.RECORDING_PHASE) this.SKIP_TOKEN();
    return token;
  }

  /** A word that has its meaning by its place here: taken when it is next. */
  protected gotWord(index: number, text: string): boolean {
    return this.maybe(index, Word, () => this.LA(1).image === text) !== null;
  }

  protected needWord(index: number, text: string): boolean {
    const there = this.gotWord(index, text);
    if (!there) this.expected(`'${text}'`, { title: `Insert ${text}`, text: ` ${text}` });
    return there;
  }

  /**
   * A word that begins a clause, not a statement that begins with a name like it: such a name is followed by one of
   * `( [ . = :`.
   */
  protected clause(text: string): boolean {
    return this.isWord(text) && !/^[([.=:]$/.test(this.LA(2).image);
  }

  /* ------------------------------------------------------------ names */

  protected wordOf(token: IToken, as: WordAs): WordNode {
    return { kind: 'word', as, text: token.image, range: rangeOf(token) };
  }

  protected definition(index: number, of: DefinitionOf, what: string): Definition | null {
    const token = this.name(index, what);
    return token && { kind: 'definition', of, text: token.image, range: rangeOf(token) };
  }

  protected reference(index: number, to: Reference['to'], what: string): Reference | null {
    const token = this.name(index, what);
    return token && { kind: 'reference', to, text: token.image, range: rangeOf(token) };
  }

  private name(index: number, what: string): IToken | null {
    const word = this.maybe(index, Word);
    if (word) return word;
    const token = this.LA(1);
    if (!isReserved(token.tokenType) || this.onNewLine()) {
      this.expected(what);
      return null;
    }
    this.report('reserved-word', `'${token.image}' is a word of the language; choose another name`, rangeOf(token));
    return this.take();
  }

  protected string(index: number, what: string): Text | null {
    const token = this.need(index, Str, what);
    return token && { kind: 'text', value: token.image.replace(/^"|"$/g, ''), range: rangeOf(token) };
  }

  /* ------------------------------------------------------------ lists in braces */

  /**
   * `{ item … }`, to stand alone in a rule of its own. `what` is closed by the brace, as `vm guest`. `inner` are reserved
   * words that begin an item here although they end other bodies.
   */
  protected braces<T extends Node>(what: string, item: () => T | null, stops: ReadonlySet<TokenType> = OUTER): Body<T | ErrorNode> | null {
    const start = this.here();
    this.trackLine();
    const column = this.lineColumn;
    const open = this.need(0, LCurly, `'{' to open ${what}`);
    if (!open) return null;
    const items = this.items(item, () => this.is(RCurly) || (this.onNewLine() && this.endsBody(stops, column)));
    const close = this.maybe(1, RCurly);
    if (!close) this.unclosed(what, rangeOf(open));
    return { kind: 'body', items, closed: close !== null, range: this.since(start) };
  }

  /** Items up to the end of the file or where `ends` says; what cannot be read is error nodes between them. */
  protected items<T extends Node>(item: () => T | null, ends: () => boolean): (T | ErrorNode)[] {
    const items: (T | ErrorNode)[] = [];
    if (this.RECORDING_PHASE) {
      item();
      return items;
    }
    while (!this.atEnd() && !ends()) {
      this.panic = false;
      this.trackLine();
      const before = this.LA(1);
      const node = item();
      if (node) items.push(node);
      if (this.panic || this.LA(1) === before) {
        const skipped = this.skip(this.LA(1) === before);
        if (skipped) items.push(skipped);
      }
    }
    this.panic = false;
    return items;
  }

  private endsBody(stops: ReadonlySet<TokenType>, column: number): boolean {
    if (stops.has(this.LA(1).tokenType)) return true;
    return this.byIndentation && columnOf(this.LA(1))! <= column;
  }

  private trackLine(): void {
    const column = columnOf(this.LA(1));
    if (column !== null) this.lineColumn = column;
  }

  private unclosed(what: string, open: Range): void {
    const behind = { start: this.lastEnd(), end: this.lastEnd() };
    this.report('expected-close', `expected '}' to close ${what}`, behind, {
      fix: { title: "Insert '}'", range: behind, text: '\n}' },
      related: { range: open, message: `${what} begins here` },
    });
  }

  /** Skips to where an item can begin, over whole bodies; `atLeastOne` when nothing was read. */
  private skip(atLeastOne: boolean): ErrorNode | null {
    const start = this.here();
    let depth = 0;
    let skipped = false;
    while (!this.atEnd()) {
      const token = this.LA(1);
      const opens = token.tokenType === LCurly || token.tokenType === LParen || token.tokenType === LSquare;
      if (depth === 0 && token.tokenType === RCurly) break;
      if (depth === 0 && (skipped || !atLeastOne) && !opens && (this.onNewLine() || isReserved(token.tokenType))) break;
      if (token.tokenType === LCurly) depth++;
      else if (token.tokenType === RCurly) depth--;
      this.take();
      skipped = true;
    }
    return skipped ? { kind: 'error', range: this.since(start) } : null;
  }
}
