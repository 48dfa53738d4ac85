/** Expressions, ranges, entries of tables, flags, and the kinds after `under`. */
import type { IToken, TokenType } from 'chevrotain';
import { readNumber } from './numbers';
import { SoftParser } from './soft-parser';
import * as t from './tokens';
import type {
  Binary, BinaryOperator, Const, EntryReference, Expression, Flag, MmuKinds, NumberExpression, Range, RangeExpression, Under, Word,
} from './tree'; // prettier-ignore
import { MMU_KINDS } from './words/observed';
import { FLAGS, type FlagPlace } from './words/paging';

const PRECEDENCE: { readonly [operator: string]: number } = {
  '|': 1, '&': 2, '<<': 3, '>>': 3, '+': 4, '-': 4, '*': 5, '/': 5, '%': 5,
}; // prettier-ignore

const OPERATORS: ReadonlySet<TokenType> = new Set([
  t.Plus, t.PlusSize, t.Minus, t.Times, t.Divide, t.Modulo, t.ShiftLeft, t.ShiftRight, t.And, t.Or,
]); // prettier-ignore
/** Operators, signs and parentheses in one expression at most; a tree as deep as that is safe to walk by recursion. */
const MAX_OPERATORS = 200;

const ACCESSES: ReadonlySet<TokenType> = new Set(['read', 'write', 'fetch', 'rmw'].map(t.reserved));
const ON = t.reserved('on');
const SWITCHES: ReadonlySet<TokenType> = new Set(['on', 'off', 'yes', 'no'].map(t.reserved));
const USER = t.reserved('user');
const SUPERVISOR = t.reserved('supervisor');
const NOT = t.reserved('not');

export abstract class ExpressionParser extends SoftParser {
  /** Expressions around the one that is being read, and operators read in the outermost so far. */
  private within = 0;
  private operators = 0;

  /** `what` names it in messages, as `an address`. In a range, `+size` is not part of the expression. */
  protected expression(what = 'a value', inRange = false): Expression {
    if (this.within === 0) this.operators = 0;
    this.within++;
    const operands: Expression[] = [this.operand(what)];
    const operators: BinaryOperator[] = [];
    while (OPERATORS.has(this.next().tokenType) && !(inRange && this.is(t.PlusSize))) {
      operators.push(this.take().image as BinaryOperator);
      operands.push(this.operand('a value'));
    }
    this.within--;
    this.operators += operators.length;
    return this.operators > MAX_OPERATORS ? this.tooLong(operands[0]!.range.start) : fold(operands, operators);
  }

  private tooLong(start: number): Expression {
    const range = this.since(start);
    const message = `an expression has at most ${MAX_OPERATORS} operators; name its parts`;
    if (this.within === 0) this.report('expression-too-long', message, range);
    return { kind: 'missing', range };
  }

  private operand(what: string): Expression {
    if (this.broken() || (this.beginsLine() && this.beginsStatement())) return this.missing(what);
    const signs: IToken[] = [];
    while (this.is(t.Minus) || this.is(t.Not)) signs.push(this.take());
    this.operators += signs.length;
    let operand = this.unsigned(what);
    if (this.operators > MAX_OPERATORS) return { kind: 'missing', range: this.since(signs[0]?.startOffset ?? operand.range.start) };
    for (const sign of signs.reverse()) {
      operand = { kind: 'unary', operator: sign.image as '-' | '~', operand, range: this.since(sign.startOffset) };
    }
    return operand;
  }

  /** A name that no value goes on with. */
  private beginsStatement(): boolean {
    return this.is(t.Word) && !this.onNewLine(2) && /^[[(:]$/.test(this.next(2).image);
  }

  private unsigned(what: string): Expression {
    const { tokenType } = this.next();
    if (tokenType === t.Num) return this.number(this.take());
    if (tokenType === t.Word) return this.namedValue();
    if (tokenType === t.LParen) return this.parenthesized();
    if (!SWITCHES.has(tokenType)) return this.missing(what);
    const token = this.take();
    const text = token.image as 'on' | 'off' | 'yes' | 'no';
    return { kind: 'switch', text, value: text === 'on' || text === 'yes', range: t.rangeOf(token) };
  }

  /** A missing expression, and a report. */
  protected missing(what: string): Expression {
    this.expected(what);
    return { kind: 'missing', range: this.behind() };
  }

  private number(token: IToken): NumberExpression {
    const range = t.rangeOf(token);
    const read = readNumber(token.image);
    if ('value' in read) return { kind: 'number', text: token.image, value: read.value, range };
    const fix = read.instead === undefined ? {} : { fix: { title: `Change to ${read.instead}`, range, text: read.instead } };
    this.report(read.code, read.message, range, fix);
    return { kind: 'number', text: token.image, value: null, range };
  }

  /** `name` or `vm.name` */
  private namedValue(): Expression {
    const first = this.take();
    const second = this.got(t.Dot) ? this.need('the name of tables', t.Word) : null;
    const vm = second && this.referenceOf(first, 'vm');
    return { kind: 'name', vm, name: this.referenceOf(second ?? first, 'value'), range: this.since(first.startOffset) };
  }

  private parenthesized(): Expression {
    const start = this.take().startOffset;
    this.operators++;
    const inner = this.expression();
    this.needSign(t.RParen);
    return { kind: 'parenthesized', inner, range: this.since(start) };
  }

  /** `a .. b`, `a +size`, or `a`; with `length` one of both must be there. */
  protected rangeExpression(what = 'an address', length = false): RangeExpression {
    const from = this.expression(what, true);
    let to: Expression | null = null;
    let size: Expression | null = null;
    if (this.got(t.DotDot)) to = this.expression('the end of the range', true);
    else if (this.got(t.PlusSize)) size = this.expression('a length', true);
    else this.noLength(from, length);
    return { kind: 'range', from, to, size, range: this.since(from.range.start) };
  }

  /** A sum where a length could be meant is refused: the space makes the difference. */
  private noLength(from: Expression, length: boolean): void {
    if (this.panic) return;
    if (from.kind === 'binary' && from.operator === '+') {
      const sign: Range = { start: from.left.range.end, end: from.right.range.start };
      const fix = { title: 'Make it a length', range: sign, text: ' +' };
      this.report('ambiguous-range', 'a length is written without a space, as `a +2M`; a sum stands in parentheses here', from.range, {
        fix,
      });
    } else if (length) this.expected('a length as `+4K`, or `.. end`', { title: 'Insert +4K', text: ' +4K' });
  }

  /* ------------------------------------------------------------ entries and flags */

  /** Whether an entry begins here: `name[`, `vm.name[`. */
  protected isEntry(): boolean {
    if (!this.is(t.Word)) return false;
    return this.is(t.LSquare, 2) || (this.is(t.Dot, 2) && this.is(t.Word, 3) && this.is(t.LSquare, 4));
  }

  /** The caller has seen a word. */
  protected entry(): EntryReference {
    const first = this.take();
    const dot = this.got(t.Dot);
    const name = dot ? this.need('the name of tables', t.Word) : first;
    const vm = dot ? this.referenceOf(first, 'vm') : null;
    const table = name
      ? this.referenceOf(name, 'table')
      : { kind: 'reference' as const, to: 'table' as const, text: '', range: this.behind() };
    this.needSign(t.LSquare);
    const address = this.beginsLine() ? this.missing('an address') : this.expression('an address');
    const level = this.gotWord('level') ? this.expression('a level') : null;
    this.needSign(t.RSquare);
    return { kind: 'entry', vm, table, address, level, range: this.since(first.startOffset) };
  }

  /** `.writable` of an entry, `.wp` of a register. */
  protected bitOrNull(): Word | null {
    const token = this.got(t.Dot) ? this.need('the name of a bit', t.Word, USER) : null;
    return token && this.wordOf(token, 'bit');
  }

  protected flags(place: FlagPlace): Flag[] {
    const flags: Flag[] = [];
    while (this.isFlag(place)) flags.push(this.flag(place));
    return flags;
  }

  private flag(place: FlagPlace): Flag {
    const start = this.here();
    const not = this.got(NOT);
    const token = not ? this.need('a flag', t.Word, USER, SUPERVISOR) : this.take();
    if (!token)
      return {
        kind: 'flag',
        not,
        name: { kind: 'word', as: 'flag', text: '', range: this.behind() },
        value: null,
        range: this.since(start),
      };
    const name = this.wordOf(token, 'flag');
    this.checkWord('flag', name, FLAGS[place], 'unknown-flag');
    const takes = Object.hasOwn(FLAGS[place], name.text) ? FLAGS[place][name.text]!.takes : undefined;
    const value = takes ? this.expression(`${takes} after ${name.text}`) : null;
    return { kind: 'flag', not, name, value, range: this.since(start) };
  }

  /**
   * Whether a flag is next: a known one, or a word on the same line that nothing else can be. A name that goes on as an
   * expression begins the next mapping; `user` before an access begins the next statement.
   */
  private isFlag(place: FlagPlace): boolean {
    const { tokenType, image } = this.next();
    const after = this.next(2);
    if (tokenType === NOT) return true;
    if (tokenType === USER || tokenType === SUPERVISOR) {
      return place === 'mapping' || (!this.onNewLine() && (this.onNewLine(2) || !ACCESSES.has(after.tokenType)));
    }
    if (tokenType !== t.Word || (!this.onNewLine(2) && /^(?:[-+*/%&|([.=:]|<<|>>|\.\.|->)$/.test(after.image))) return false;
    return Object.hasOwn(FLAGS[place], image) || (!this.onNewLine() && !BEGINNINGS.test(image));
  }

  /* ------------------------------------------------------------ under */

  protected under(): Under {
    const start = this.take().startOffset;
    const kinds = this.commas(() => this.mmuKinds());
    return { kind: 'under', kinds, range: this.since(start) };
  }

  private mmuKinds(): MmuKinds | null {
    const start = this.here();
    const levels: Word[] = [];
    do {
      const token = this.need('soft, ept or npt', t.Word);
      if (!token) break;
      const level = this.wordOf(token, 'mmu');
      this.checkWord('kind of MMU', level, MMU_KINDS);
      levels.push(level);
    } while (!this.isWord('fault', 2) && this.got(ON));
    return levels.length > 0 ? { kind: 'mmu-kinds', levels, range: this.since(start) } : null;
  }

  /** Whether the `under` that is next opens a body: then it is a statement, not a part of what stands before it. */
  protected underOpensBody(): boolean {
    let ahead = 2;
    while (this.is(t.Word, ahead) || this.is(t.Comma, ahead) || this.is(ON, ahead)) ahead++;
    return this.is(t.LCurly, ahead);
  }

  /** `const name = value` */
  protected constant(): Const {
    const start = this.take().startOffset;
    const name = this.definition('const', 'a name');
    this.needSign(t.Assign);
    const value = this.expression();
    return { kind: 'const', name, value, range: this.since(start) };
  }
}

/** Words that begin another item of tables, or a statement, on the same line. */
const BEGINNINGS = /^(?:entry|upper|table|share|word|same|check|replay)$/;

/** Operands and operators to a tree, by precedence, to the left. */
function fold(operands: readonly Expression[], operators: readonly BinaryOperator[]): Expression {
  const values: Expression[] = [operands[0]!];
  const pending: BinaryOperator[] = [];
  const reduce = (): void => {
    const right = values.pop()!;
    const left = values.pop()!;
    const operator = pending.pop()!;
    const node: Binary = { kind: 'binary', operator, left, right, range: { start: left.range.start, end: right.range.end } };
    values.push(node);
  };
  operators.forEach((operator, index) => {
    while (pending.length > 0 && PRECEDENCE[pending.at(-1)!]! >= PRECEDENCE[operator]!) reduce();
    pending.push(operator);
    values.push(operands[index + 1]!);
  });
  while (pending.length > 0) reduce();
  return values[0]!;
}
