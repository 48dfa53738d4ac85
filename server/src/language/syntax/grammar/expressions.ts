/** Expressions and ranges. */
import { readNumber } from '../numbers';
import * as t from '../tokens';
import type { Token } from '../tokens';
import type { Binary, BinaryOperator, Expression, NumberExpression, Range, RangeExpression, Reference } from '../tree';
import { value, VALUE, type Grammar, type Rule, type Value } from './rule';

const PRECEDENCE: { readonly [operator: string]: number } = {
  '|': 1, '&': 2, '<<': 3, '>>': 3, '+': 4, '-': 4, '*': 5, '/': 5, '%': 5,
}; // prettier-ignore

/** Operators, signs and parentheses in one expression at most; a tree as deep as that is safe to walk by recursion. */
const MAX_OPERATORS = 200;

const [WHOLE] = VALUE.ARGS!;

/** `inRange`: a `+` with a space before and none behind is not part of the expression. */
export const expression: Rule<[Value?, boolean?], Expression> = ($) => {
  const { depth } = $;
  const operand = operandOf($);
  return (what = WHOLE, inRange = false) => {
    if (depth.within === 0) depth.operators = 0;
    depth.within++;
    const first = operand(what);
    const result = $.RECORDING_PHASE || $.may(t.Operator, 1) ? operation($, first, inRange) : first;
    depth.within--;
    return depth.operators > MAX_OPERATORS && !$.RECORDING_PHASE ? tooLong($, first.range.start) : result;
  };
};

export const operand: Rule<[Value?], Expression> = ($) => {
  const read = operandOf($);
  return (what = WHOLE) => read(what);
};

/** `first + second * third …`, a part of an expression's rule. */
function operation($: Grammar, first: Expression, inRange: boolean): Expression {
  const operands = [first];
  const operators: BinaryOperator[] = [];
  $.many(1, {
    GATE: () => !inRange || !$.is(t.PlusSize),
    DEF: () => {
      operators.push($.CONSUME(t.Operator).image as BinaryOperator);
      operands.push($.SUBRULE($.operand, VALUE));
    },
  });
  $.depth.operators += operators.length;
  return $.RECORDING_PHASE || $.depth.operators > MAX_OPERATORS ? first : fold(operands, operators);
}

function tooLong($: Grammar, start: number): Expression {
  const range = $.since(start);
  const message = `an expression has at most ${MAX_OPERATORS} operators; name its parts`;
  if ($.depth.within === 0) $.report('expression-too-long', message, range);
  return { kind: 'missing', range };
}

/** A missing expression, and a report. */
export function missing($: Grammar, what: string): Expression {
  $.expected(what);
  return { kind: 'missing', range: $.behind() };
}

const A_VALUE = { REFERS: 'value' } as const;
const OF_TABLES = { ERR_MSG: 'the name of tables', REFERS: 'table' } as const;

/** An operand with its signs; a part of two rules, for most expressions are one operand. */
function operandOf($: Grammar): (what: Value) => Expression {
  const { depth } = $;
  let signs: Token[] = [];
  let expected = WHOLE;
  const sign = (): void => void signs.push($.CONSUME(t.Sign));
  const ofVm = (): Reference | null => {
    $.CONSUME(t.Dot);
    return $.referenceOrNull($.CONSUME2(t.Word, OF_TABLES), 'value');
  };
  const unsigned = {
    DEF: [
      { ALT: (): Expression => number($, $.CONSUME(t.Num)) },
      {
        /** `name` or `vm.name` */
        ALT: (): Expression => {
          const first = $.CONSUME1(t.Word, A_VALUE);
          const second = $.OPTION(ofVm) ?? null;
          const vm = second && $.referenceOf(first, 'vm');
          return { kind: 'name', vm, name: second ?? $.referenceOf(first, 'value'), range: $.since(first.startOffset) };
        },
      },
      { ALT: (): Expression => $.SUBRULE($.parenthesized) },
      { ALT: (): Expression => switched($.CONSUME(t.Switch)) },
    ],
    ELSE: (): Expression => missing($, expected.what),
  };
  return (what) => {
    $.expectsValue(what);
    if ($.beginsLine() && ($.broken() || what.sameLine || beginsStatement($))) return missing($, what.what);
    expected = what;
    if (!$.may(t.Sign, 1) && !$.RECORDING_PHASE) return $.OR(unsigned);
    signs = [];
    $.MANY(sign);
    const all = signs;
    depth.operators += all.length;
    let result = $.broken() ? missing($, what.what) : $.OR(unsigned);
    if ($.RECORDING_PHASE) return result;
    if (depth.operators > MAX_OPERATORS) return { kind: 'missing', range: $.since(all[0]?.startOffset ?? result.range.start) };
    for (const each of all.reverse())
      result = { kind: 'unary', operator: each.image as '-' | '~', operand: result, range: $.since(each.startOffset) };
    return result;
  };
}

/** A name that no value goes on with. */
function beginsStatement($: Grammar): boolean {
  return $.is(t.Word) && !$.onNewLine(2) && /^[[(:]$/.test($.next(2).image);
}

function switched(token: Token): Expression {
  const text = token.image as 'on' | 'off' | 'yes' | 'no';
  return { kind: 'switch', text, value: text === 'on' || text === 'yes', range: t.rangeOf(token) };
}

function number($: Grammar, token: Token): NumberExpression {
  const range = t.rangeOf(token);
  const read = readNumber(token.image);
  if ('value' in read) return { kind: 'number', text: token.image, value: read.value, range };
  const fix = read.instead === undefined ? {} : { fix: { title: `Change to ${read.instead}`, range, text: read.instead } };
  if (!$.RECORDING_PHASE) $.report(read.code, read.message, range, fix);
  return { kind: 'number', text: token.image, value: null, range };
}

export const parenthesized: Rule<[], Expression> = ($) => () => {
  const start = $.CONSUME(t.LParen).startOffset;
  $.depth.operators++;
  const inner = $.SUBRULE($.expression, VALUE);
  $.CONSUME(t.RParen);
  return { kind: 'parenthesized', inner, range: $.since(start) };
};

/* ---------------------------------------------------------------- ranges */

const END = value('the end of the range', 'end').ARGS![0].inRange;
const LENGTH = value('a length', 'length').ARGS![0].inRange;

/** `a .. b`, `a +size`: the parts behind `a`. */
type Extent = Pick<RangeExpression, 'to' | 'size'>;

export const extent: Rule<[Expression?], Extent> = ($) => {
  let from: Expression | null = null;
  const choice = {
    DEF: [
      {
        ALT: (): Extent => {
          $.CONSUME(t.DotDot);
          return { to: $.SUBRULE($.expression, END), size: null };
        },
      },
      {
        ALT: (): Extent => {
          $.CONSUME(t.PlusSize);
          return { to: null, size: $.SUBRULE2($.expression, LENGTH) };
        },
      },
    ],
    ELSE: (): Extent => {
      if (from && !ambiguous($, from) && !$.panic) $.expected('a length as `+4K`, or `.. end`', { title: 'Insert +4K', text: ' +4K' });
      return { to: null, size: null };
    },
  };
  return (of) => {
    from = of ?? null;
    return $.OR(choice);
  };
};

const NO_EXTENT: Extent = { to: null, size: null };

/** `a .. b`, `a +size`, or `a`. */
export const range: Rule<[Value?], RangeExpression> = ($) => {
  const more = (): Extent => $.SUBRULE($.extent);
  return (what = WHOLE) => {
    const from = $.SUBRULE($.expression, what.inRange);
    const found = $.OPTION(more);
    if (!found) ambiguous($, from);
    const { to, size } = found ?? NO_EXTENT;
    return { kind: 'range', from, to, size, range: $.sinceStart(from) };
  };
};

/** `a .. b` or `a +size` */
export const span: Rule<[Value?], RangeExpression> =
  ($) =>
  (what = WHOLE) => {
    const from = $.SUBRULE($.expression, what.inRange);
    const { to, size } = $.SUBRULE($.extent, { ARGS: [from] });
    return { kind: 'range', from, to, size, range: $.sinceStart(from) };
  };

/** A sum where a length could be meant is refused: the space makes the difference. */
function ambiguous($: Grammar, from: Expression): boolean {
  if (from.kind !== 'binary' || from.operator !== '+') return false;
  if ($.panic) return true;
  const sign: Range = { start: from.left.range.end, end: from.right.range.start };
  const fix = { title: 'Make it a length', range: sign, text: ' +' };
  const message = 'a length is written without a space, as `a +2M`; a sum stands in parentheses here';
  $.report('ambiguous-range', message, from.range, { fix });
  return true;
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
