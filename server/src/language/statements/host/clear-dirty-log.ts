/** `host clear dirty log slot 0 pages 0 .. 63` */
import { bindParts, noAddress, noMemory } from '../../kind';
import type { HostActKind } from '../../kind';
import type { HostActLowering } from '../../lower/host-acts';
import { value } from '../../syntax/grammar/rule';
import type { Rule } from '../../syntax/grammar/rule';
import type { Expression, RangeExpression } from '../../syntax/tree';
import type { HostActBase, Only } from './act';

/** Pages for which KVM_CLEAR_DIRTY_LOG clears at least. */
const WORD_PAGES = 64n;

export interface ClearDirtyLog extends HostActBase {
  readonly act: 'clear-dirty-log';
  readonly id: Expression;
  /** Null: all of the slot. */
  readonly pages: RangeExpression | null;
}

const PAGE_NUMBERS = value('page numbers, as `0 .. 63`', 'page-numbers');

/** `clear dirty log slot 0 pages 0 .. 63` */
const rule: Rule<[], Only<ClearDirtyLog>> = ($) => {
  const numbers = {
    GATE: () => $.clause(),
    DEF: (): RangeExpression => {
      $.CONSUME($.t.word('pages'));
      return $.SUBRULE($.range, PAGE_NUMBERS);
    },
  };
  return () => {
    $.CONSUME($.t.word('clear'));
    const id = $.SUBRULE($.dirtyLog);
    return { act: 'clear-dirty-log', id, pages: $.OPTION(numbers) ?? null };
  };
};

export const clearDirtyLog: HostActKind<ClearDirtyLog> = {
  rule,
  words: {
    'host-act': {
      clear: '`clear dirty log slot 0 pages 0 .. 63`: KVM_CLEAR_DIRTY_LOG, for manual protect.',
    },
    clause: { pages: 'Of KVM_CLEAR_DIRTY_LOG: numbers of the pages in the slot. Of a mapping: the size of its pages.' },
  },
  bind: bindParts,
  address: noAddress,
  memory: noMemory,
  lower,
};

function lower(host: HostActLowering, node: ClearDirtyLog): void {
  const named = host.slot(node.id, 'ENOENT');
  if (!named) return;
  const { id, slot } = named;
  if (slot) host.refused(node.id, host.vm.slots.logging(id));
  const whole = { from: 0n, last: BigInt(slot?.pages ?? 1) - 1n };
  const pages = node.pages ? host.script.context.evaluator.range(node.pages, host.frame.env) : whole;
  if (!pages) return;
  const count = pages.last - pages.from + 1n;
  const toEnd = slot !== null && pages.last + 1n === BigInt(slot.pages);
  const wrong =
    pages.from % WORD_PAGES !== 0n
      ? `the first page is a multiple of 64, not ${pages.from}`
      : count % WORD_PAGES !== 0n && !toEnd
        ? `the number of pages is a multiple of 64 or goes to the end of the slot, not ${count}`
        : slot && pages.last >= BigInt(slot.pages)
          ? `the slot has ${slot.pages} pages`
          : null;
  if (wrong) host.refused(node.pages ?? node, { errno: 'EINVAL', why: wrong });
  if (pages.from < 0n || pages.last >= 1n << 40n) return;
  host.emit({ do: 'clear-dirty-log', id, first: Number(pages.from), pages: Number(count) });
}
