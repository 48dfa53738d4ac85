/** `host flags slot 2 log_dirty readonly`, `host flags slot 2 none` */
import { bindParts, noAddress, noMemory } from '../../kind';
import type { HostActKind } from '../../kind';
import type { HostActLowering } from '../../lower/host-acts';
import { regionOfSlot } from '../../lower/host-acts';
import type { Rule } from '../../syntax/grammar/rule';
import type { Expression, Flag } from '../../syntax/tree';
import type { HostActBase, Only } from './act';

export interface Flags extends HostActBase {
  readonly act: 'flags';
  readonly id: Expression;
  readonly flags: readonly Flag[];
}

const SLOT_FLAGS: { ARGS: [string] } = { ARGS: ['log_dirty, readonly or none'] };

/** `flags slot 2 log_dirty` */
const rule: Rule<[], Only<Flags>> = ($) => () => {
  $.CONSUME($.t.word('flags'));
  const id = $.SUBRULE($.slotId);
  return { act: 'flags', id, flags: $.someFlags('slot', SLOT_FLAGS) };
};

export const flags: HostActKind<Flags> = {
  rule,
  words: {
    'host-act': {
      flags: 'KVM_SET_USER_MEMORY_REGION with these flags and no others: `flags slot 0 log_dirty`, `flags slot 0 none`.',
    },
  },
  bind: bindParts,
  address: noAddress,
  memory: noMemory,
  lower,
};

function lower(host: HostActLowering, node: Flags): void {
  const named = host.slot(node.id, 'EINVAL');
  if (!named) return;
  const { script, frame } = host;
  const { context } = script;
  const { id, slot } = named;
  const words = node.flags.map((flag) => flag.name.text);
  for (const flag of node.flags) {
    if (flag.not)
      context.report(frame.env, flag, 'flags-clash', 'list the flags that the slot is to have, and no others; none is none of them');
    if (flag.name.text === 'none' && words.length > 1) context.report(frame.env, flag, 'flags-clash', 'none stands alone');
  }
  const logDirty = words.includes('log_dirty');
  const readonly = words.includes('readonly');
  if (slot)
    host.refused(node.flags[0] ?? node, host.vm.slots.set({ ...regionOfSlot(slot), flags: (logDirty ? 1 : 0) | (readonly ? 2 : 0) }));
  host.emit({ do: 'slot-flags', id, logDirty, readonly });
}
