/** `host move slot 2 to 0x100_0000` */
import { bindParts } from '../../kind';
import type { HostActKind } from '../../kind';
import { regionOfSlot } from '../../lower/host-acts';
import { value } from '../../syntax/grammar/rule';
import type { Rule } from '../../syntax/grammar/rule';
import type { Expression } from '../../syntax/tree';
import type { HostActBase, Only } from './act';

export interface Move extends HostActBase {
  readonly act: 'move';
  readonly id: Expression;
  readonly to: Expression;
}

const NEW_ADDRESS = value('a guest-physical address', 'gpa');

/** `move slot 2 to 0x100_0000` */
const rule: Rule<[], Only<Move>> = ($) => () => {
  $.CONSUME($.t.word('move'));
  const id = $.SUBRULE($.slotId);
  $.CONSUME($.t.word('to'));
  return { act: 'move', id, to: $.SUBRULE($.expression, NEW_ADDRESS) };
};

export const move: HostActKind<Move> = {
  rule,
  words: {
    'host-act': {
      move: 'KVM_SET_USER_MEMORY_REGION with another guest_phys_addr: `move slot 1 to 0x100_0000`.',
    },
  },
  bind: bindParts,
  address: (node, part) => (node.to === part ? 'gpa' : null),
  memory: ({ to }) => ({ from: to, size: null }),
  lower: (host, node) => {
    const named = host.slot(node.id, 'EINVAL');
    const gpa = named && host.script.context.unsigned(node.to, host.frame.env, 'a guest-physical address');
    if (!named || gpa === null) return;
    const { id, slot } = named;
    if (slot) host.refusedSlot({ ...regionOfSlot(slot), gpa: Number(gpa) }, { whole: node.to, gpa: node.to });
    host.emit({ do: 'move-slot', id, gpa: Number(gpa) });
  },
};
