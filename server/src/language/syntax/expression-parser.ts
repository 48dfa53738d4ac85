/** Expressions, ranges, entries of tables, flags, and the kinds after `under`. */
import type { IToken, ParserMethod, TokenType } from 'chevrotain';
import { readNumber } from './numbers';
import { SoftParser } from './soft-parser';
import * as t from './tokens';
import type {
  Binary, BinaryOperator, Definition, EntryReference, Expression, Flag, MmuKinds, NameExpression, NumberExpression, Range,
  RangeExpression, Reference, Under, Word,
} from './tree'; // prettier-ignore
import { MMU_KINDS } from './words/observed';
import { FLAGS, type FlagPlace } from './words/paging';

const PRECEDENCE: { readonly [operator: string]: number } = {
  '|': 1, '&': 2, '<<': 3, '>>': 3, '+': 4, '-': 4, '*': 5, '/': 5, '%': 5,
}; // prettier-ignore

const OPERATORS = [t.Plus, t.PlusSize, t.Minus, t.Times, t.Divide, t.Modulo, t.ShiftLeft, t.ShiftRight, t.And, t.Or];
/** Operators in one expression at most; a tree as deep as that is safe to walk by recursion. */
const MAX_OPERATORS = 100;
/** Signs before an operand at most. */
const MAX_SIGNS = 20;

const ACCESS_WORDS: ReadonlySet<TokenType> = new Set(['read', 'write', 'fetch', 'rmw'].map(t.reserved));
const SWITCHES = { on: t.reserved('on'), off: t.reserved('off'), yes: t.reserved('yes'), no: t.reserved('no') };
const USER = t.reserved('user');
const SUPERVISOR = t.reserved('supervisor');

export abstract class ExpressionParser extends SoftParser {
  /** `what` names it in messages, as `an address`. In a range, `+size` is not part of the expression. */
  protected readonly expression: ParserMethod<[what?: string, inRange?: boolean], Expression> = this.RULE(
    'expression',
    (what = 'a value', inRange = false): Expression => {
      const start = this.here();
      const operands: Expression[] = [this.subrule(0, this.operand, { ARGS: [what] })];
      const operators: BinaryOperator[] = [];
      this.many(0, {
        GATE: () => !(inRange && this.is(t.PlusSize)),
        DEF: () => {
          operators.push(this.subrule(0, this.operator));
          operands.push(this.subrule(1, this.operand, { ARGS: ['a value'] }));
        },
      });
      if (operators.length > MAX_OPERATORS) {
        const range = this.since(start);
        this.report('expression-too-long', `an expression has at most ${MAX_OPERATORS} operators; name its parts`, range);
        return { kind: 'missing', range };
      }
      return this.ACTION(() => fold(operands, operators));
    },
  );

  private readonly operator = this.RULE('operator', (): BinaryOperator => {
    return this.oneOf(0, ...OPERATORS)!.image as BinaryOperator;
  });

  private readonly operand: ParserMethod<[what?: string], Expression> = this.RULE('operand', (what = 'a value'): Expression => {
    const start = this.here();
    const signs: { operator: '-' | '~'; start: number }[] = [];
    this.many(0, () => {
      const token = this.or<IToken>(0, [{ ALT: () => this.consume(0, t.Minus) }, { ALT: () => this.consume(0, t.Not) }]);
      signs.push({ operator: token.image as '-' | '~', start: token.startOffset });
    });
    let operand: Expression = this.or<Expression>(1, [
      { ALT: () => this.number(this.consume(2, t.Num)) },
      { ALT: () => this.subrule(0, this.namedValue) },
      { ALT: () => this.subrule(1, this.parenthesized) },
      { ALT: () => this.switchValue('on', this.consume(3, SWITCHES.on)) },
      { ALT: () => this.switchValue('off', this.consume(4, SWITCHES.off)) },
      { ALT: () => this.switchValue('yes', this.consume(5, SWITCHES.yes)) },
      { ALT: () => this.switchValue('no', this.consume(6, SWITCHES.no)) },
      { ALT: () => this.missing(what) },
    ]);
    if (signs.length > MAX_SIGNS) {
      this.report('expression-too-long', `at most ${MAX_SIGNS} signs before a value`, this.since(start));
      return { kind: 'missing', range: this.since(start) };
    }
    for (const sign of signs.reverse()) {
      operand = { kind: 'unary', operator: sign.operator, operand, range: this.since(sign.start) };
    }
    return operand;
  });

  /** A missing expression, and a report. */
  protected missing(what: string): Expression {
    this.expected(what);
    return { kind: 'missing', range: { start: this.lastEnd(), end: this.lastEnd() } };
  }

  private number(token: IToken): NumberExpression {
    const range = t.rangeOf(token);
    if (this.RECORDING_PHASE) return { kind: 'number', text: '', value: null, range };
    const read = readNumber(token.image);
    if ('value' in read) return { kind: 'number', text: token.image, value: read.value, range };
    const fix = read.instead === undefined ? {} : { fix: { title: `Change to ${read.instead}`, range, text: read.instead } };
    this.report(read.code, read.message, range, fix);
    return { kind: 'number', text: token.image, value: null, range };
  }

  private switchValue(text: keyof typeof SWITCHES, token: IToken): Expression {
    return { kind: 'switch', text, value: text === 'on' || text === 'yes', range: t.rangeOf(token) };
  }

  /** `name` or `vm.name` */
  private readonly namedValue = this.RULE('namedValue', (): NameExpression => {
    const start = this.here();
    const first = this.consume(0, t.Word);
    const second = this.got(1, t.Dot) ? this.need(2, t.Word, 'the name of tables') : null;
    const vm: Reference | null = second ? { kind: 'reference', to: 'vm', text: first.image, range: t.rangeOf(first) } : null;
    const name = second ?? first;
    return { kind: 'name', vm, name: { kind: 'reference', to: 'value', text: name.image, range: t.rangeOf(name) }, range: this.since(start) };
  });

  private readonly parenthesized = this.RULE('parenthesized', (): Expression => {
    const start = this.here();
    this.consume(0, t.LParen);
    const inner = this.subrule(0, this.expression);
    this.need(1, t.RParen);
    return { kind: 'parenthesized', inner, range: this.since(start) };
  });

  /** `a .. b`, `a +size`, or `a`; with `length` one of both must be there. */
  protected readonly rangeOf: ParserMethod<[what?: string, length?: boolean], RangeExpression> = this.RULE(
    'range',
    (what = 'an address', length = false): RangeExpression => {
      const start = this.here();
      const from = this.subrule(0, this.expression, { ARGS: [what, true] });
      let to: Expression | null = null;
      let size: Expression | null = null;
      this.or(0, [
        {
          ALT: () => {
            this.consume(0, t.DotDot);
            to = this.subrule(1, this.expression, { ARGS: ['the end of the range', true] });
          },
        },
        {
          ALT: () => {
            this.consume(1, t.PlusSize);
            size = this.subrule(2, this.expression, { ARGS: ['a length', true] });
          },
        },
        { ALT: () => this.noLength(from, length) },
      ]);
      return { kind: 'range', from, to, size, range: this.since(start) };
    },
  );

  /** A sum where a length could be meant is refused: the space makes the difference. */
  private noLength(from: Expression, length: boolean): void {
    if (this.RECORDING_PHASE || this.panic) return;
    if (from.kind === 'binary' && from.operator === '+') {
      const sign: Range = { start: from.left.range.end, end: from.right.range.start };
      const fix = { title: 'Make it a length', range: sign, text: ' +' };
      this.report('ambiguous-range', 'a length is written without a space, as `a +2M`; a sum stands in parentheses here', from.range, { fix });
    } else if (length) {
      this.expected("a length as `+4K`, or `.. end`", { title: 'Insert +4K', text: ' +4K' });
    }
  }

  /* ------------------------------------------------------------ entries and flags */

  /** Whether an entry begins here: `name[`, `vm.name[`. */
  protected isEntry(): boolean {
    if (!this.is(t.Word)) return false;
    return this.is(t.LSquare, 2) || (this.is(t.Dot, 2) && this.is(t.Word, 3) && this.is(t.LSquare, 4));
  }

  protected readonly entry = this.RULE('entry', (): EntryReference => {
    const start = this.here();
    const first = this.consume(0, t.Word);
    const second = this.got(1, t.Dot) ? this.consume(2, t.Word) : null;
    const vm: Reference | null = second ? { kind: 'reference', to: 'vm', text: first.image, range: t.rangeOf(first) } : null;
    const name = second ?? first;
    this.need(3, t.LSquare);
    const address = this.subrule(0, this.expression, { ARGS: ['an address'] });
    const level = this.gotWord(4, 'level') ? this.subrule(1, this.expression, { ARGS: ['a level'] }) : null;
    this.need(5, t.RSquare);
    const table: Reference = { kind: 'reference', to: 'table', text: name.image, range: t.rangeOf(name) };
    return { kind: 'entry', vm, table, address, level, range: this.since(start) };
  });

  /** `.writable` of an entry, `.wp` of a register. */
  protected readonly bit = this.RULE('bit', (): Word | null => {
    this.consume(0, t.Dot);
    const token = this.maybe(1, USER) ?? this.need(2, t.Word, 'the name of a bit');
    return token && this.wordOf(token, 'bit');
  });

  protected readonly flags: ParserMethod<[place?: FlagPlace], Flag[]> = this.RULE('flags', (place: FlagPlace = 'mapping'): Flag[] => {
    const flags: Flag[] = [];
    this.many(0, {
      GATE: () => this.isFlag(place),
      DEF: () => {
        flags.push(this.subrule(0, this.flag, { ARGS: [place] }));
      },
    });
    return flags;
  });

  private readonly flag: ParserMethod<[place?: FlagPlace], Flag> = this.RULE('flag', (place: FlagPlace = 'mapping'): Flag => {
    const start = this.here();
    const not = this.got(0, t.reserved('not'));
    const token = this.oneOf(1, USER, SUPERVISOR, t.Word);
    if (!token) this.expected('a flag');
    const name: Word = token ? this.wordOf(token, 'flag') : { kind: 'word', as: 'flag', text: '', range: this.since(this.lastEnd()) };
    const known = FLAGS[place][name.text];
    if (token && !known && !this.RECORDING_PHASE) this.unknown('unknown-flag', 'flag', name, Object.keys(FLAGS[place]));
    const takes = known?.takes;
    const value = takes || this.RECORDING_PHASE ? this.subrule(0, this.expression, { ARGS: [takes ?? ''] }) : null;
    return { kind: 'flag', not, name, value, range: this.since(start) };
  });

  /**
   * Whether a flag is next: a known one, or a word on the same line that nothing else can be. A name that goes on as an
   * expression begins the next mapping; `user` before an access begins the next statement.
   */
  private isFlag(place: FlagPlace): boolean {
    const token = this.LA(1);
    const after = this.LA(2).tokenType;
    if (token.tokenType === t.reserved('not')) return true;
    if (token.tokenType === USER || token.tokenType === SUPERVISOR) return !ACCESS_WORDS.has(after);
    if (token.tokenType !== t.Word) return false;
    if (/^(?:[-+*/%&|([.=:]|<<|>>|\.\.|->)$/.test(this.LA(2).image) || this.isMappedBy(after)) return false;
    return token.image in FLAGS[place] || (place === 'mapping' && !this.onNewLine() && !this.begins(token.image));
  }

  private isMappedBy(type: TokenType): boolean {
    return type === t.DotDot || type === t.PlusSize || type === t.Arrow;
  }

  /** Words that begin another item of tables on the same line. */
  private begins(word: string): boolean {
    return word === 'entry' || word === 'upper' || word === 'table' || word === 'share';
  }

  /* ------------------------------------------------------------ under */

  protected readonly under = this.RULE('under', (): Under => {
    const start = this.here();
    this.consume(0, t.reserved('under'));
    const kinds: MmuKinds[] = [this.subrule(0, this.mmuKinds)];
    this.many(0, () => {
      this.consume(1, t.Comma);
      kinds.push(this.subrule(1, this.mmuKinds));
    });
    return { kind: 'under', kinds, range: this.since(start) };
  });

  private readonly mmuKinds = this.RULE('mmuKinds', (): MmuKinds => {
    const start = this.here();
    const levels: Word[] = [];
    this.mmuKind(0, levels);
    this.many(0, {
      GATE: () => !this.isWord('fault', 2),
      DEF: () => {
        this.consume(1, SWITCHES.on);
        this.mmuKind(2, levels);
      },
    });
    return { kind: 'mmu-kinds', levels, range: this.since(start) };
  });

  private mmuKind(index: number, levels: Word[]): void {
    const token = this.need(index, t.Word, 'soft, ept or npt');
    if (!token) return;
    const word = this.wordOf(token, 'mmu');
    levels.push(word);
    if (!this.RECORDING_PHASE && !(word.text in MMU_KINDS)) this.unknown('unknown-word', 'kind of MMU', word, Object.keys(MMU_KINDS));
  }

  /** `const name = value` */
  protected readonly constant = this.RULE('constant', () => {
    const start = this.here();
    this.consume(0, t.reserved('const'));
    const name: Definition | null = this.definition(1, 'const', 'a name');
    this.need(2, t.Assign);
    const value = this.subrule(0, this.expression);
    return { kind: 'const' as const, name, value, range: this.since(start) };
  });
}

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
