/** `host collapse gpa 0x20_0000 +2M` */
import { bindParts, noAddress, noMemory } from '../../kind';
import type { HostActKind } from '../../kind';
import type { Rule } from '../../syntax/grammar/rule';
import type { HostArea } from '../../syntax/tree';
import type { HostActBase, Only } from './act';

export interface Collapse extends HostActBase {
  readonly act: 'collapse';
  readonly area: HostArea;
}

/** `collapse gpa 0x20_0000` */
const rule: Rule<[], Only<Collapse>> = ($) => () => {
  $.CONSUME($.t.word('collapse'));
  return { act: 'collapse', area: $.SUBRULE($.area) };
};

export const collapse: HostActKind<Collapse> = {
  rule,
  words: {
    'host-act': {
      collapse: 'The host makes small pages into a large one (khugepaged).',
    },
  },
  bind: bindParts,
  address: noAddress,
  memory: noMemory,
  lower: (host, { area }) => host.areas(area, (hva, size) => host.emit({ do: 'collapse', hva, size })),
};
