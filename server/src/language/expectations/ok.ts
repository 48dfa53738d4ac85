/** `ok` */
import { bindParts, noAddress } from '../kind';
import type { ExpectationKind } from '../kind';
import type { Rule } from '../syntax/grammar/rule';
import type { Base } from '../syntax/tree';

export interface ExpectOk extends Base {
  readonly kind: 'expect-ok';
}

const rule: Rule<[], ExpectOk> = ($) => () => ({ kind: 'expect-ok', range: $.t.rangeOf($.CONSUME($.t.word('ok'))) });

export const ok: ExpectationKind<ExpectOk> = {
  rule,
  words: {
    expectation: {
      ok: 'The access reached memory, or the act succeeded.',
    },
  },
  bind: bindParts,
  address: noAddress,
  outcome: () => 'ok',
  ofLastAct: false,
  lower: () => [{ kind: 'ok' }],
};
