/** `ok` */
import { bindParts, noAddress } from '../kind';
import type { ExpectationKind } from '../kind';
import type { Base } from '../syntax/tree';

export interface ExpectOk extends Base {
  readonly kind: 'expect-ok';
}

export const ok: ExpectationKind<ExpectOk> = {
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
