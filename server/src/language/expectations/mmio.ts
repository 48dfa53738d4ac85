/** `mmio`, `mmio read`, `mmio write` */
import { bindParts, noAddress } from '../kind';
import type { ExpectationKind } from '../kind';
import type { Rule } from '../syntax/grammar/rule';
import type { Base } from '../syntax/tree';

export interface ExpectMmio extends Base {
  readonly kind: 'expect-mmio';
  /** Null: either. */
  readonly access: 'read' | 'write' | null;
}

/** `mmio`, `mmio read` */
const rule: Rule<[], ExpectMmio> = ($) => {
  const kind = { GATE: () => !$.onNewLine(), DEF: () => $.CONSUME($.t.MmioKind).image as 'read' | 'write' };
  return () => {
    const start = $.CONSUME($.t.word('mmio')).startOffset;
    const access = $.OPTION(kind) ?? null;
    return { kind: 'expect-mmio', access, range: $.since(start) };
  };
};

export const mmio: ExpectationKind<ExpectMmio> = {
  rule,
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
