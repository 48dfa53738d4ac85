/** `value 5` */
import { bindParts, noAddress } from '../kind';
import type { ExpectationKind } from '../kind';
import type { Base, Expression } from '../syntax/tree';

export interface ExpectValue extends Base {
  readonly kind: 'expect-value';
  readonly value: Expression;
}

export const value: ExpectationKind<ExpectValue> = {
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
