/** `mmio`, `mmio read`, `mmio write` */
import { bindParts, noAddress } from '../kind';
import type { ExpectationKind } from '../kind';
import type { Base } from '../syntax/tree';

export interface ExpectMmio extends Base {
  readonly kind: 'expect-mmio';
  /** Null: either. */
  readonly access: 'read' | 'write' | null;
}

export const mmio: ExpectationKind<ExpectMmio> = {
  words: {
    expectation: {
      mmio: 'KVM_RUN returned KVM_EXIT_MMIO: the address is in no slot, or a read-only slot was written. `mmio read`, `mmio write`.',
    },
  },
  bind: bindParts,
  address: noAddress,
  outcome: () => 'mmio',
  ofLastAct: false,
  lower: (_script, { access }) => [{ kind: 'mmio', write: access === null ? null : access === 'write' }],
};
