/**
 * The ground of the grammar: Chevrotain's parser, and around its strict rules a recovery of our own. The rules say what must
 * stand; what is missing is reported at its place, and an empty token stands for it, so that the rule goes on and its node
 * has what there is. After a report the parser is in panic and reports no more, until the list of items around it has
 * skipped to the next place where one can begin: the next line, or the closing brace.
 *
 * Lines matter in one way: a value or a name stands on the line of what comes before it, unless that is a bracket, a comma
 * or an operator. So a statement that is still being written does not swallow the next one.
 */
import {
  createTokenInstance, EmbeddedActionsParser, EOF, tokenMatcher, type ConsumeMethodOpts, type DSLMethodOpts, type IOrAlt,
  type IToken, type ParserMethod, type Rule, type SubruleMethodOpts, type TokenType,
} from 'chevrotain'; // prettier-ignore
import { Decisions } from '../decisions';
import { MAX_PROBLEMS, nearest, type Fix, type ProblemCode, type SyntaxProblem } from '../problem';
import * as t from '../tokens';
import type { Value } from './rule';
import type { Definition, DefinitionOf, Flag, Node, Range, Reference, Text, Word as WordNode, WordAs } from '../tree';

/* ---------------------------------------------------------------- Chevrotain's words, as rules use them */

/** What stands at a token, for messages and for those who ask what may stand there. */
export interface Consumed extends ConsumeMethodOpts {
  /** What is missing where it is not there, as `a name`. */
  readonly ERR_MSG?: string;
  /** A name that is defined, or refers, here. */
  readonly DEFINES?: DefinitionOf;
  readonly REFERS?: Reference['to'];
  /** The code of a report on a word that is none of the category's. */
  readonly UNKNOWN?: ProblemCode;
  /** Of a string: what its path leads to. */
  readonly PATH?: 'import' | 'load';
}

type Action<T> = () => T;
type Optional<T> = Action<T> | DSLMethodOpts<T>;
export interface Choice<T> {
  readonly DEF: IOrAlt<T>[];
  /** What is done, by way of recovery, where none of them fits. Not a part of the grammar. */
  readonly ELSE?: Action<T>;
  /** Both, as the parser runs over them; made when it first does. */
  RUN?: IOrAlt<T>[];
}

/** Chevrotain's parser, open to rules that are functions of their own. */
interface Dsl {
  readonly RECORDING_PHASE: boolean;
  input: IToken[];
  RULE<A extends unknown[], R>(name: string, rule: (...args: A) => R): ParserMethod<A, R>;
  performSelfAnalysis(): void;
  getGAstProductions(): Record<string, Rule>;
  LA(ahead: number): IToken;
  SKIP_TOKEN(): IToken;
  importLexerState(position: number): void;
  ACTION<T>(action: Action<T>): T;
  consume(index: number, type: TokenType, options?: Consumed): IToken;
  CONSUME(type: TokenType, options?: Consumed): IToken;
  CONSUME1(type: TokenType, options?: Consumed): IToken;
  CONSUME2(type: TokenType, options?: Consumed): IToken;
  CONSUME3(type: TokenType, options?: Consumed): IToken;
  subrule<A extends unknown[], R>(index: number, rule: ParserMethod<A, R>, options?: SubruleMethodOpts<A>): R;
  SUBRULE<A extends unknown[], R>(rule: ParserMethod<A, R>, options?: SubruleMethodOpts<A>): R;
  SUBRULE1<A extends unknown[], R>(rule: ParserMethod<A, R>, options?: SubruleMethodOpts<A>): R;
  SUBRULE2<A extends unknown[], R>(rule: ParserMethod<A, R>, options?: SubruleMethodOpts<A>): R;
  SUBRULE3<A extends unknown[], R>(rule: ParserMethod<A, R>, options?: SubruleMethodOpts<A>): R;
  option<T>(index: number, option: Optional<T>): T | undefined;
  OPTION<T>(option: Optional<T>): T | undefined;
  OPTION1<T>(option: Optional<T>): T | undefined;
  OPTION2<T>(option: Optional<T>): T | undefined;
  OPTION3<T>(option: Optional<T>): T | undefined;
  many(index: number, option: Optional<unknown>): void;
  MANY(option: Optional<unknown>): void;
  AT_LEAST_ONE_SEP(options: { readonly SEP: TokenType; readonly DEF: Action<unknown> }): void;
  OR<T>(choice: IOrAlt<T>[] | Choice<T>): T;
  OR1<T>(choice: IOrAlt<T>[] | Choice<T>): T;
}

const Chevrotain = EmbeddedActionsParser as unknown as new (vocabulary: TokenType[], config: object) => Dsl;

/* ---------------------------------------------------------------- lines */

/** A line may break behind these. */
const CONTINUES: ReadonlySet<TokenType> = new Set([
  t.LParen, t.LSquare, t.LCurly, t.Comma, t.Plus, t.PlusSize, t.Minus, t.Times, t.Divide, t.Modulo, t.ShiftLeft, t.ShiftRight, t.And, t.Or, t.Not,
]); // prettier-ignore

const END: IToken = createTokenInstance(EOF, '', NaN, NaN, NaN, NaN, NaN, NaN);
/** Stands for a token that is missing. */
const ABSENT: IToken = createTokenInstance(EOF, '', NaN, NaN, NaN, NaN, NaN, NaN);

const VOCABULARY: TokenType[] = [
  t.Word, t.Mode, t.Version, t.Num, t.Str, t.Fault, ...t.SIGNS, ...t.CATEGORIES, ...t.WORD_TYPES,
]; // prettier-ignore

/** Of types that nothing else stands for. */
const isTerminal = (type: TokenType): boolean => !t.isBound(type) && type.LABEL?.startsWith("'") === true;

export abstract class Ground extends Chevrotain {
  problems: SyntaxProblem[] = [];
  /** A report was made in this statement; see above. */
  panic = false;
  text = '';
  protected tokens: readonly IToken[] = [];
  protected index = 0;
  protected count = 0;
  /** The text goes on behind the last token: what is missing there is not. */
  private cut = false;
  /** First token of the innermost item that is being read. */
  protected itemFirst: IToken | null = null;
  /** Flags of the same place before the one that is being read. */
  already: readonly (Flag | WordNode)[] = [];
  /** The event whose fields are being read. */
  inEvent = '';
  /** Expressions around the one that is being read, and operators read in the outermost so far. */
  readonly depth = { within: 0, operators: 0 };

  /** @param validated checks the grammar itself, which costs time and is for tests */
  constructor(validated: boolean) {
    super(VOCABULARY, { lookaheadStrategy: new Decisions(), maxLookahead: 1, skipValidations: !validated });
  }

  protected begin(text: string, { tokens, cut }: t.Tokens): void {
    this.text = text;
    this.tokens = tokens;
    this.cut = cut;
    this.index = 0;
    this.count = tokens.length;
    this.problems = [];
    this.panic = false;
    this.itemFirst = null;
    this.depth.within = 0;
    this.input = tokens;
  }

  /* ------------------------------------------------------------ positions */

  /** The next token, or one further ahead; at the end of the text an empty one. */
  next(ahead = 1): IToken {
    return this.tokens[this.index + ahead - 1] ?? END;
  }

  override LA(ahead: number): IToken {
    return this.tokens[this.index + ahead - 1] ?? END;
  }

  is(type: TokenType, ahead = 1): boolean {
    return tokenMatcher(this.next(ahead), type);
  }

  /** As `is`, of tokens that are still to come: one that is not written yet may become anything. */
  may(type: TokenType, ahead: number): boolean {
    return tokenMatcher(this.next(ahead), type);
  }

  atEnd(): boolean {
    return this.index >= this.count;
  }

  /** Where the next token begins; at the end of the text, where the last one ends. */
  here(): number {
    return this.index < this.count ? this.tokens[this.index]!.startOffset : this.lastEnd();
  }

  lastEnd(): number {
    const last = this.tokens[this.index - 1];
    return last ? last.startOffset + last.image.length : 0;
  }

  since(start: number): Range {
    return { start, end: Math.max(start, this.lastEnd()) };
  }

  /** From where a node begins; when the grammar is recorded there is none. */
  sinceStart(of: Node): Range {
    return this.RECORDING_PHASE ? { start: 0, end: 0 } : this.since(of.range.start);
  }

  /** Where something is missing: behind the last token. */
  behind(): Range {
    return { start: this.lastEnd(), end: this.lastEnd() };
  }

  /** Begins a new line. */
  onNewLine(ahead = 1): boolean {
    return t.columnOf(this.next(ahead)) !== null;
  }

  /** A new line has begun where a value or a name should stand, see above; in panic no line is crossed. */
  broken(): boolean {
    return this.beginsLine() && (this.panic || !CONTINUES.has(this.next(0).tokenType));
  }

  /** The next token begins a line, and not the item. */
  beginsLine(): boolean {
    return this.onNewLine() && this.next() !== this.itemFirst;
  }

  /* ------------------------------------------------------------ reports */

  report(code: ProblemCode, message: string, range: Range, more: { fix?: Fix; related?: SyntaxProblem['related'] } = {}): void {
    if (!this.isFull() && !(this.cut && this.atEnd())) this.problems.push({ code, message, range, ...more });
  }

  /** There are more problems than are kept. */
  isFull(): boolean {
    return this.problems.length > MAX_PROBLEMS;
  }

  /** A report that ends what can be said about this statement. */
  fail(code: ProblemCode, message: string, range: Range, fix?: Fix): void {
    if (!this.panic) this.report(code, message, range, fix ? { fix } : {});
    this.panic = true;
  }

  /** `expected …`, at the next token if it is on the same line or begins the item, otherwise behind the last one. */
  expected(what: string, insert?: { title: string; text: string }): void {
    const behind = this.behind();
    const isHere = !this.atEnd() && (!this.onNewLine() || this.next() === this.itemFirst);
    const { image } = this.next();
    const found = image.length > 30 ? `'${image.slice(0, 30)}…'` : `'${image}'`;
    const message = isHere ? `expected ${what}, found ${found}` : `expected ${what}`;
    this.fail('expected', message, isHere ? t.rangeOf(this.next()) : behind, insert && { ...insert, range: behind });
  }

  expectedSign(sign: string): void {
    this.expected(`'${sign}'`, { title: `Insert ${sign}`, text: /^[\w=-]/.test(sign) ? ` ${sign}` : sign });
  }

  /** `word` is none of `choices`; says which are and offers the nearest. Not a panic. */
  unknown(code: ProblemCode, what: string, word: { text: string; range: Range }, choices: readonly string[]): void {
    if (this.panic || this.isFull()) return;
    const near = nearest(word.text, choices);
    const shown = choices.length > 12 ? `${choices.slice(0, 12).join(', ')}, …` : choices.join(', ');
    const hint = near ? `did you mean ${near}?` : `there are ${shown}`;
    const fix = near ? { fix: { title: `Change to ${near}`, range: word.range, text: near } } : {};
    this.report(code, `unknown ${what} '${word.text.slice(0, 40)}': ${hint}`, word.range, fix);
  }

  /* ------------------------------------------------------------ tokens */

  override consume(_index: number, type: TokenType, options?: Consumed): IToken {
    return this.consumed(type, options);
  }

  override CONSUME(type: TokenType, options?: Consumed): IToken {
    return this.consumed(type, options);
  }

  override OR1<T>(choice: IOrAlt<T>[] | Choice<T>): T {
    return super.OR1(this.alternatives(choice));
  }

  override CONSUME1(type: TokenType, options?: Consumed): IToken {
    return this.consumed(type, options);
  }

  override CONSUME2(type: TokenType, options?: Consumed): IToken {
    return this.consumed(type, options);
  }

  override CONSUME3(type: TokenType, options?: Consumed): IToken {
    return this.consumed(type, options);
  }

  /** The next token, if it is what must stand here and on a line where it may; otherwise a report, and an absent one. */
  protected consumed(type: TokenType, options?: Consumed): IToken {
    const token = this.tokens[this.index];
    if (token !== undefined && tokenMatcher(token, type) && !(t.isBound(type) && this.broken())) {
      return this.take();
    }
    return this.notFound(type, options);
  }

  private notFound(type: TokenType, options: Consumed | undefined): IToken {
    if (isTerminal(type)) {
      this.expectedSign(type.LABEL!.slice(1, -1));
      return ABSENT;
    }
    const { tokenType } = this.next();
    if (options?.DEFINES || options?.REFERS) {
      if (t.isReserved(tokenType) && !this.onNewLine()) {
        const token = this.take();
        this.report('reserved-word', `'${token.image}' is a word of the language; choose another name`, t.rangeOf(token));
        return token;
      }
    } else if (options?.UNKNOWN && t.isOf(tokenType, t.Word) && !this.broken()) {
      return this.strange(type, options.UNKNOWN);
    }
    this.expected(options?.ERR_MSG ?? type.LABEL ?? type.name);
    return ABSENT;
  }

  /** Takes a word that is none of its category's, with a report. */
  strange(type: TokenType, code: ProblemCode = 'unknown-word', choices?: readonly string[]): IToken {
    const token = this.take();
    const { what, words } = t.explanationOf(type)!;
    this.unknown(code, what, { text: token.image, range: t.rangeOf(token) }, choices ?? words);
    return token;
  }

  /** The next token whatever it is; callers have looked at it. */
  take(): IToken {
    const token = this.next();
    if (this.index < this.count) {
      this.index++;
      this.SKIP_TOKEN();
    }
    return token;
  }

  /** Takes the rest of the line, up to a token that ends it sooner or the end of the body. */
  skipLine(ends: (token: IToken) => boolean): void {
    while (!this.atEnd() && !this.onNewLine() && !this.is(t.RCurly) && !ends(this.next())) this.take();
  }

  /* Gates first, and without a function for both: decisions are many. */

  override OPTION<T>(option: Optional<T>): T | undefined {
    if (typeof option === 'function') return super.OPTION(option);
    return option.GATE!() ? super.OPTION(option.DEF) : undefined;
  }

  override OPTION1<T>(option: Optional<T>): T | undefined {
    if (typeof option === 'function') return super.OPTION1(option);
    return option.GATE!() ? super.OPTION1(option.DEF) : undefined;
  }

  override OPTION2<T>(option: Optional<T>): T | undefined {
    if (typeof option === 'function') return super.OPTION2(option);
    return option.GATE!() ? super.OPTION2(option.DEF) : undefined;
  }

  override OPTION3<T>(option: Optional<T>): T | undefined {
    if (typeof option === 'function') return super.OPTION3(option);
    return option.GATE!() ? super.OPTION3(option.DEF) : undefined;
  }

  /** As Chevrotain's, and `ELSE` where nothing fits. */
  override OR<T>(choice: IOrAlt<T>[] | Choice<T>): T {
    return super.OR(this.alternatives(choice));
  }

  protected alternatives<T>(choice: IOrAlt<T>[] | Choice<T>): IOrAlt<T>[] {
    if (Array.isArray(choice)) return choice;
    return (choice.RUN ??= choice.ELSE ? [...choice.DEF, { ALT: choice.ELSE }] : choice.DEF);
  }

  /**
   * Whether a clause begins here with the word that is next, not a statement that begins with a name like it: such a name is
   * followed by one of `[ . = :`, or begins a line and is followed by `(`.
   */
  clause(): boolean {
    const { tokenType } = this.next(2);
    if (tokenType === t.LParen) return !this.onNewLine();
    return tokenType !== t.LSquare && tokenType !== t.Dot && tokenType !== t.Assign && tokenType !== t.Colon;
  }

  /** The word that is next is not already there; what is there twice is reported by those who build the node. */
  once(_already: boolean): boolean {
    return true;
  }

  /** A list that has to be here after all, though nothing of it is. */
  otherwise<T>(list: Action<T>, none: T): T {
    return this.RECORDING_PHASE ? none : list();
  }

  /** Hook: a value of this kind begins here. */
  expectsValue(_value: Value): void {}

  /* ------------------------------------------------------------ names */

  isThere(token: IToken): boolean {
    return token !== ABSENT;
  }

  wordOf<A extends WordAs>(token: IToken, as: A): WordNode {
    return { kind: 'word', as, text: token.image, range: t.rangeOf(token) };
  }

  /** The word, or null for a token that is missing. */
  wordOrNull(token: IToken, as: WordAs): WordNode | null {
    return token === ABSENT ? null : this.wordOf(token, as);
  }

  referenceOf(token: IToken, to: Reference['to']): Reference {
    return { kind: 'reference', to, text: token.image, range: t.rangeOf(token) };
  }

  referenceOrNull(token: IToken, to: Reference['to']): Reference | null {
    return token === ABSENT ? null : this.referenceOf(token, to);
  }

  definitionOrNull(token: IToken, of: DefinitionOf): Definition | null {
    return token === ABSENT ? null : { kind: 'definition', of, text: token.image, range: t.rangeOf(token) };
  }

  textOrNull(token: IToken): Text | null {
    return token === ABSENT ? null : { kind: 'text', value: token.image.replace(/^"|"$/g, ''), range: t.rangeOf(token) };
  }
}
