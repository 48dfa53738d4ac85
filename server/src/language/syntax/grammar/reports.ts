/** Places between tokens, and reports of what is wrong at them. */
import { MAX_PROBLEMS, nearest, type Fix, type ProblemCode, type SyntaxProblem } from '../problem';
import type { Scanned } from '../scan';
import * as t from '../tokens';
import type { Node, Range } from '../tree';
import { Running } from './running';

/** A line may break behind these; 1, by their kinds. */
const continues = new Uint8Array(t.KINDS_END);
for (const type of [
  t.LParen, t.LSquare, t.LCurly, t.Comma, t.Plus, t.PlusSize, t.Minus, t.Times, t.Divide, t.Modulo, t.ShiftLeft, t.ShiftRight, t.And, t.Or, t.Not,
]) continues[type.tokenTypeIdx!] = 1; // prettier-ignore

export abstract class Reports extends Running {
  text = '';
  problems: SyntaxProblem[] = [];
  /** A report was made in this statement; see ground.ts. */
  panic = false;
  /** The text goes on behind the last token: what is missing there is not. */
  private cut = false;
  /** Index of the first token of the innermost item that is being read; -1: there is none. */
  protected itemFirst = -1;

  protected begin({ tokens, cut }: Scanned, from: number): void {
    this.text = tokens.text;
    this.tokens = tokens;
    this.cut = cut;
    this.index = from;
    this.problems = [];
    this.panic = false;
    this.itemFirst = -1;
  }

  /* ------------------------------------------------------------ positions */

  /** Where the next token begins; at the end of the text, where the last one ends. */
  here(): number {
    return this.atEnd() ? this.lastEnd() : this.tokens.starts[this.index]!;
  }

  lastEnd(): number {
    return this.index > 0 ? this.tokens.ends[this.index - 1]! : 0;
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
    return this.tokens.columns[this.index + ahead - 1]! >= 0;
  }

  /** A new line has begun where a value or a name should stand, see above; in panic no line is crossed. */
  broken(): boolean {
    return this.beginsLine() && (this.panic || continues[this.tokens.kinds[this.index - 1]!] !== 1);
  }

  /** The next token begins a line, and not the item. */
  beginsLine(): boolean {
    return this.onNewLine() && this.index !== this.itemFirst;
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
    const isHere = !this.atEnd() && (!this.onNewLine() || this.index === this.itemFirst);
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
}
