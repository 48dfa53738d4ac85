/** `host reclaim gpa 0x5000 +8K` */
import { bindParts, noAddress, noMemory } from '../../kind';
import type { HostActKind } from '../../kind';
import type { Rule } from '../../syntax/grammar/rule';
import type { HostArea } from '../../syntax/tree';
import type { HostActBase, Only } from './act';

export interface Reclaim extends HostActBase {
  readonly act: 'reclaim';
  readonly area: HostArea;
}

/** `reclaim gpa 0x5000 +8K` */
const rule: Rule<[], Only<Reclaim>> = ($) => () => {
  $.CONSUME($.t.word('reclaim'));
  return { act: 'reclaim', area: $.SUBRULE($.area) };
};

export const reclaim: HostActKind<Reclaim> = {
  rule,
  words: {
    'host-act': {
      reclaim: 'The host takes pages back (reclaim, MADV_DONTNEED): the MMU notifier unmaps them, their content is lost.',
    },
  },
  bind: bindParts,
  address: noAddress,
  memory: noMemory,
  lower: (host, { area }) => host.areas(area, (hva, size) => host.emit({ do: 'reclaim', hva, size })),
};
