/** `host nr_mmu_pages 64` */
import { bindParts, noAddress, noMemory } from '../../kind';
import type { HostActKind } from '../../kind';
import { value } from '../../syntax/grammar/rule';
import type { Rule } from '../../syntax/grammar/rule';
import type { Expression } from '../../syntax/tree';
import type { HostActBase, Only } from './act';

export interface NrMmuPages extends HostActBase {
  readonly act: 'nr-mmu-pages';
  readonly pages: Expression;
}

const PAGES = value('a number of pages', 'number');

/** `nr_mmu_pages 64` */
const rule: Rule<[], Only<NrMmuPages>> = ($) => () => {
  $.CONSUME($.t.word('nr_mmu_pages'));
  return { act: 'nr-mmu-pages', pages: $.SUBRULE($.expression, PAGES) };
};

export const nrMmuPages: HostActKind<NrMmuPages> = {
  rule,
  words: {
    'host-act': {
      nr_mmu_pages: 'KVM_SET_NR_MMU_PAGES: shadow pages at most.',
    },
  },
  bind: bindParts,
  address: noAddress,
  memory: noMemory,
  lower: (host, node) => {
    const pages = host.script.context.between(node.pages, host.frame.env, 'a number of shadow pages', 0n, 1n << 31n);
    if (pages !== null) host.emit({ do: 'set-nr-mmu-pages', pages: Number(pages) });
  },
};
