/** `error EEXIST` */
import { bindParts, noAddress } from '../kind';
import type { ExpectationKind } from '../kind';
import type { Base, Word } from '../syntax/tree';

export interface ExpectError extends Base {
  readonly kind: 'expect-error';
  readonly errno: Word | null;
}

export const error: ExpectationKind<ExpectError> = {
  words: {
    expectation: {
      error: 'The ioctl or KVM_RUN failed with this errno: `error EEXIST`.',
    },
  },
  bind: bindParts,
  address: noAddress,
  outcome: () => 'error',
  ofLastAct: false,
  lower: (_script, { errno }) => (errno ? [{ kind: 'error', errno: errno.text }] : []),
};
