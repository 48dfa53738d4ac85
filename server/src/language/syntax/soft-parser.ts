/**
 * The parser's ground: a cursor over the tokens, by which rules descend. Tokens that are missing are reported and null, so
 * that every rule returns its node with what there is. After a report the parser is in panic and reports no more, until the
 * list of items around it has skipped to the next place where one can begin: the next line, or the closing brace.
 *
 * Lines matter in one way: a value or a name stands on the line of what comes before it, unless that is a bracket, a comma
 * or an operator. So a statement that is still being written does not swallow the next one.
 */
import { createTokenInstance, EOF, type IToken, type TokenType } from 'chevrotain';
import { MAX_PROBLEMS, nearest, type Fix, type ProblemCode, type SyntaxProblem } from './problem';
import * as t from './tokens';
import type { Body, Definition, DefinitionOf, ErrorNode, Node, Range, Reference, Text, Word as WordNode, WordAs } from './tree';

/** Words that end any body in which they cannot stand, when they begin a line: its `}` is missing. */
export const OUTER: ReadonlySet<TokenType> = new Set(['import', 'budget', 'block', 'run'].map(t.reserved));

/** A line may break behind these. */
const CONTINUES: ReadonlySet<TokenType> = new Set([
  t.LParen, t.LSquare, t.LCurly, t.Comma, t.Plus, t.PlusSize, t.Minus, t.Times, t.Divide, t.Modulo, t.ShiftLeft, t.ShiftRight, t.And, t.Or, t.Not,
]); // prettier-ignore

const END: IToken = createTokenInstance(EOF, '', NaN, NaN, NaN, NaN, NaN, NaN);

export abstract class SoftParser {
  readonly problems: SyntaxProblem[] = [];
  /** A report was made in this statement; see above. */
  protected panic = false;
  private readonly tokens: readonly IToken[];
  /** The text goes on behind the last token: what is missing there is not. */
  private readonly cut: boolean;
  private index = 0;
  /** Column of the last token that began a line. */
  private lineColumn = 0;
  /** First token of the innermost item that is being read. */
  private itemFirst: IToken | null = null;

  /**
   * @param byIndentation second look at a text with a missing `}`: a line indented no deeper than the body's first line ends
   *   the body
   */
  constructor(
    protected readonly text: string,
    { tokens, cut }: t.Tokens,
    private readonly byIndentation: boolean,
  ) {
    this.tokens = tokens;
    this.cut = cut;
  }

  /* ------------------------------------------------------------ positions */

  /** The next token, or one further ahead; at the end of the text an empty one. */
  protected next(ahead = 1): IToken {
    return this.tokens[this.index + ahead - 1] ?? END;
  }

  protected is(type: TokenType, ahead = 1): boolean {
    return this.next(ahead).tokenType === type;
  }

  protected isWord(text: string, ahead = 1): boolean {
    const token = this.next(ahead);
    return token.tokenType === t.Word && token.image === text;
  }

  protected atEnd(): boolean {
    return this.index >= this.tokens.length;
  }

  /** Where the next token begins; at the end of the text, where the last one ends. */
  protected here(): number {
    return this.atEnd() ? this.lastEnd() : this.next().startOffset;
  }

  protected lastEnd(): number {
    const last = this.tokens[this.index - 1];
    return last ? last.startOffset + last.image.length : 0;
  }

  protected since(start: number): Range {
    return { start, end: Math.max(start, this.lastEnd()) };
  }

  /** Where something is missing: behind the last token. */
  protected behind(): Range {
    return { start: this.lastEnd(), end: this.lastEnd() };
  }

  /** Begins a new line. */
  protected onNewLine(ahead = 1): boolean {
    return t.columnOf(this.next(ahead)) !== null;
  }

  /** A new line has begun where a value or a name should stand, see above; in panic no line is crossed. */
  protected broken(): boolean {
    return this.beginsLine() && (this.panic || !CONTINUES.has(this.next(0).tokenType));
  }

  /** The next token begins a line, and not the item. */
  protected beginsLine(): boolean {
    return this.onNewLine() && this.next() !== this.itemFirst;
  }

  /* ------------------------------------------------------------ reports */

  protected report(code: ProblemCode, message: string, range: Range, more: { fix?: Fix; related?: SyntaxProblem['related'] } = {}): void {
    if (!this.isFull() && !(this.cut && this.atEnd())) this.problems.push({ code, message, range, ...more });
  }

  /** There are more problems than are kept. */
  protected isFull(): boolean {
    return this.problems.length > MAX_PROBLEMS;
  }

  /** A report that ends what can be said about this statement. */
  protected fail(code: ProblemCode, message: string, range: Range, fix?: Fix): void {
    if (!this.panic) this.report(code, message, range, fix ? { fix } : {});
    this.panic = true;
  }

  /** `expected …`, at the next token if it is on the same line or begins the item, otherwise behind the last one. */
  protected expected(what: string, insert?: { title: string; text: string }): void {
    const behind = this.behind();
    const isHere = !this.atEnd() && (!this.onNewLine() || this.next() === this.itemFirst);
    const { image } = this.next();
    const found = image.length > 30 ? `'${image.slice(0, 30)}…'` : `'${image}'`;
    const message = isHere ? `expected ${what}, found ${found}` : `expected ${what}`;
    this.fail('expected', message, isHere ? t.rangeOf(this.next()) : behind, insert && { ...insert, range: behind });
  }

  /** `word` is none of `choices`; says which are and offers the nearest. Not a panic. */
  protected unknown(code: ProblemCode, what: string, word: { text: string; range: Range }, choices: readonly string[]): void {
    if (this.panic || this.isFull()) return;
    const near = nearest(word.text, choices);
    const shown = choices.length > 12 ? `${choices.slice(0, 12).join(', ')}, …` : choices.join(', ');
    const hint = near ? `did you mean ${near}?` : `there are ${shown}`;
    const fix = near ? { fix: { title: `Change to ${near}`, range: word.range, text: near } } : {};
    this.report(code, `unknown ${what} '${word.text.slice(0, 40)}': ${hint}`, word.range, fix);
  }

  /** Reports a word that is not among the keys of `known`. */
  protected checkWord(what: string, word: WordNode, known: object, code: ProblemCode = 'unknown-word'): void {
    if (!Object.hasOwn(known, word.text)) this.unknown(code, what, word, Object.keys(known));
  }

  /* ------------------------------------------------------------ tokens */

  /** The next token whatever it is; callers have looked at it. */
  protected take(): IToken {
    const token = this.next();
    if (!this.atEnd()) this.index++;
    return token;
  }

  /** The next token if it is of one of these types. */
  protected maybe(...types: readonly TokenType[]): IToken | null {
    return types.includes(this.next().tokenType) ? this.take() : null;
  }

  /** Whether the next token is of that type; it is taken. */
  protected got(type: TokenType): boolean {
    return this.maybe(type) !== null;
  }

  /** The next token if it is of one of these types and on this line, otherwise null and a report. */
  protected need(what: string, ...types: readonly TokenType[]): IToken | null {
    const token = this.broken() ? null : this.maybe(...types);
    if (!token) this.expected(what);
    return token;
  }

  /** The next token if it is that sign or reserved word, otherwise null and a report. */
  protected needSign(type: TokenType): IToken | null {
    const token = this.maybe(type);
    if (!token) this.expectedSign((type.LABEL ?? type.name).slice(1, -1));
    return token;
  }

  protected expectedSign(sign: string): void {
    this.expected(`'${sign}'`, { title: `Insert ${sign}`, text: /^[\w=-]/.test(sign) ? ` ${sign}` : sign });
  }

  /** The next token if it is a word, reserved or not, or of the type `or`; otherwise null and a report. */
  protected needAnyWord(what: string, or: TokenType): IToken | null {
    const { tokenType } = this.next();
    if ((tokenType === t.Word || tokenType === or || t.isReserved(tokenType)) && !this.broken()) return this.take();
    this.expected(what);
    return null;
  }

  /** Takes the rest of the line, up to a token that ends it sooner or the end of the body. */
  protected skipLine(ends: (token: IToken) => boolean): void {
    while (!this.atEnd() && !this.onNewLine() && !this.is(t.RCurly) && !ends(this.next())) this.take();
  }

  /** A word that has its meaning by its place here: taken when it is next. */
  protected gotWord(text: string): boolean {
    const there = this.isWord(text);
    if (there) this.take();
    return there;
  }

  protected needWord(text: string): boolean {
    const there = this.gotWord(text);
    if (!there) this.expectedSign(text);
    return there;
  }

  /**
   * Whether a clause begins here with this word, not a statement that begins with a name like it: such a name is followed by
   * one of `[ . = :`, or begins a line and is followed by `(`.
   */
  protected clause(text: string): boolean {
    if (!this.isWord(text)) return false;
    const after = this.next(2).image;
    return after === '(' ? !this.onNewLine() : !/^[[.=:]$/.test(after);
  }

  /* ------------------------------------------------------------ names */

  protected wordOf<A extends WordAs>(token: IToken, as: A): WordNode {
    return { kind: 'word', as, text: token.image, range: t.rangeOf(token) };
  }

  protected referenceOf(token: IToken, to: Reference['to']): Reference {
    return { kind: 'reference', to, text: token.image, range: t.rangeOf(token) };
  }

  protected definition(of: DefinitionOf, what: string): Definition | null {
    const token = this.name(what);
    return token && { kind: 'definition', of, text: token.image, range: t.rangeOf(token) };
  }

  protected reference(to: Reference['to'], what: string): Reference | null {
    const token = this.name(what);
    return token && this.referenceOf(token, to);
  }

  private name(what: string): IToken | null {
    const token = this.next();
    if (!t.isReserved(token.tokenType) || this.onNewLine()) return this.need(what, t.Word);
    this.report('reserved-word', `'${token.image}' is a word of the language; choose another name`, t.rangeOf(token));
    return this.take();
  }

  protected string(what: string): Text | null {
    const token = this.need(what, t.Str);
    return token && { kind: 'text', value: token.image.replace(/^"|"$/g, ''), range: t.rangeOf(token) };
  }

  /* ------------------------------------------------------------ lists */

  /** `item, item, …`, at least one. */
  protected commas<T>(item: () => T | null): T[] {
    const items: T[] = [];
    do {
      const found = item();
      if (found !== null) items.push(found);
    } while (this.got(t.Comma));
    return items;
  }

  /**
   * `{ item … }`. `what` is closed by the brace, as `vm guest`. `stops` are words that show, when they begin a line, that the
   * brace is missing.
   */
  protected braces<T extends Node>(what: string, item: () => T | null, stops: ReadonlySet<TokenType> = OUTER): Body<T | ErrorNode> | null {
    const start = this.here();
    this.trackLine();
    const column = this.lineColumn;
    const open = this.maybe(t.LCurly);
    if (!open) {
      this.expected(`'{' to open ${what}`, { title: 'Insert {', text: ' {' });
      return null;
    }
    const items = this.items(item, () => this.is(t.RCurly) || (this.onNewLine() && this.endsBody(stops, column)));
    const close = this.maybe(t.RCurly);
    if (!close) this.unclosed(what, t.rangeOf(open));
    return { kind: 'body', items, closed: close !== null, range: this.since(start) };
  }

  /** Items up to the end of the file or where `ends` says; what cannot be read is error nodes between them. */
  protected items<T extends Node>(item: () => T | null, ends: () => boolean): (T | ErrorNode)[] {
    const items: (T | ErrorNode)[] = [];
    while (!this.atEnd() && !ends()) {
      this.panic = false;
      this.trackLine();
      const before = this.next();
      this.itemFirst = before;
      const node = item();
      if (node) items.push(node);
      const read = this.next() !== before;
      // An item that could not be made is an error from its beginning on.
      const from = node || !read ? this.here() : before.startOffset;
      if (this.panic || !read) this.skip(!read);
      if (this.lastEnd() > from) items.push({ kind: 'error', range: this.since(from) });
    }
    this.panic = false;
    return items;
  }

  private endsBody(stops: ReadonlySet<TokenType>, column: number): boolean {
    if (stops.has(this.next().tokenType)) return true;
    return this.byIndentation && t.columnOf(this.next())! <= column;
  }

  private trackLine(): void {
    const column = t.columnOf(this.next());
    if (column !== null) this.lineColumn = column;
  }

  private unclosed(what: string, open: Range): void {
    this.report('expected-close', `expected '}' to close ${what}`, this.behind(), {
      fix: { title: "Insert '}'", range: this.behind(), text: '\n}' },
      related: { range: open, message: `${what} begins here` },
    });
  }

  /** Skips to where an item can begin, over whole bodies; `atLeastOne` when nothing was read. */
  private skip(atLeastOne: boolean): void {
    let depth = 0;
    for (let skipped = !atLeastOne; !this.atEnd(); skipped = true) {
      const { tokenType } = this.next();
      const opens = tokenType === t.LCurly || tokenType === t.LParen || tokenType === t.LSquare;
      if (depth === 0 && tokenType === t.RCurly) return;
      if (depth === 0 && skipped && !opens && this.onNewLine()) return;
      if (depth > 0 && OUTER.has(tokenType) && t.columnOf(this.next()) === 0) return;
      if (tokenType === t.LCurly) depth++;
      else if (tokenType === t.RCurly) depth--;
      this.take();
    }
  }
}
