/** `shutdown` */
import { bindParts, noAddress } from '../kind';
import type { ExpectationKind } from '../kind';
import type { Rule } from '../syntax/grammar/rule';
import type { Base } from '../syntax/tree';

export interface ExpectShutdown extends Base {
  readonly kind: 'expect-shutdown';
}

const rule: Rule<[], ExpectShutdown> = ($) => () => ({ kind: 'expect-shutdown', range: $.t.rangeOf($.CONSUME($.t.word('shutdown'))) });

export const shutdown: ExpectationKind<ExpectShutdown> = {
  rule,
  words: {
    expectation: {
      shutdown: 'The guest cannot go on: KVM_RUN returns KVM_EXIT_SHUTDOWN, as when its root lies in no slot under soft MMU.',
    },
  },
  bind: bindParts,
  address: noAddress,
  outcome: () => 'shutdown',
  ofLastAct: false,
  lower: () => [{ kind: 'shutdown' }],
};
