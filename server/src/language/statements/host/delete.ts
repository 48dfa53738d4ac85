/** `host delete slot 2` */
import { bindParts, noAddress, noMemory } from '../../kind';
import type { HostActKind } from '../../kind';
import type { Rule } from '../../syntax/grammar/rule';
import type { Expression } from '../../syntax/tree';
import type { HostActBase, Only } from './act';

export interface Delete extends HostActBase {
  readonly act: 'delete';
  readonly id: Expression;
}

/** `delete slot 2` */
const rule: Rule<[], Only<Delete>> = ($) => () => {
  $.CONSUME($.t.word('delete'));
  return { act: 'delete', id: $.SUBRULE($.slotId) };
};

export const deleteSlot: HostActKind<Delete> = {
  rule,
  words: {
    'host-act': {
      delete: 'KVM_SET_USER_MEMORY_REGION with size 0: deletes a slot. All shadow pages are zapped.',
    },
  },
  bind: bindParts,
  address: noAddress,
  memory: noMemory,
  lower: (host, node) => {
    const named = host.slot(node.id, null);
    if (!named) return;
    const { id } = named;
    host.refused(node.id, host.vm.slots.set({ slot: id, flags: 0, gpa: 0, size: 0, hva: 0 }));
    host.emit({ do: 'delete-slot', id });
  },
};
