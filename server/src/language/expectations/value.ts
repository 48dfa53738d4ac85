/** `value 5` */
import { bindParts, noAddress } from '../kind';
import type { ExpectationKind } from '../kind';
import { VALUE } from '../syntax/grammar/rule';
import type { Rule } from '../syntax/grammar/rule';
import type { Base, Expression } from '../syntax/tree';

export interface ExpectValue extends Base {
  readonly kind: 'expect-value';
  readonly value: Expression;
}

/** `value 5` */
const rule: Rule<[], ExpectValue> = ($) => () => {
  const start = $.CONSUME($.t.word('value')).startOffset;
  const of = $.SUBRULE($.expression, VALUE);
  return { kind: 'expect-value', value: of, range: $.since(start) };
};

export const value: ExpectationKind<ExpectValue> = {
  rule,
  words: {
    expectation: {
      value: 'The value that was read.',
    },
  },
  bind: bindParts,
  address: noAddress,
  outcome: () => 'value',
  ofLastAct: false,
  lower: ({ context }, node, { env }) => {
    const value = context.evaluator.bits(node.value, env);
    return value === null ? [] : [{ kind: 'value', value }];
  },
};
