/** `host split gpa 0x20_0000 +2M` */
import { bindParts, noAddress, noMemory } from '../../kind';
import type { HostActKind } from '../../kind';
import type { Rule } from '../../syntax/grammar/rule';
import type { HostArea } from '../../syntax/tree';
import type { HostActBase, Only } from './act';

export interface Split extends HostActBase {
  readonly act: 'split';
  readonly area: HostArea;
}

/** `split gpa 0x20_0000` */
const rule: Rule<[], Only<Split>> = ($) => () => {
  $.CONSUME($.t.word('split'));
  return { act: 'split', area: $.SUBRULE($.area) };
};

export const split: HostActKind<Split> = {
  rule,
  words: {
    'host-act': {
      split: 'The host splits a large page into 4K pages.',
    },
  },
  bind: bindParts,
  address: noAddress,
  memory: noMemory,
  lower: (host, { area }) => host.areas(area, (hva, size) => host.emit({ do: 'split', hva, size })),
};
