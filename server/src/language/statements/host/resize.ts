/** `host resize slot 2 to 8M` */
import { bindParts, noAddress, noMemory } from '../../kind';
import type { HostActKind } from '../../kind';
import { regionOfSlot } from '../../lower/host-acts';
import { value } from '../../syntax/grammar/rule';
import type { Rule } from '../../syntax/grammar/rule';
import type { Expression } from '../../syntax/tree';
import type { HostActBase, Only } from './act';

export interface Resize extends HostActBase {
  readonly act: 'resize';
  readonly id: Expression;
  readonly to: Expression;
}

const NEW_SIZE = value('a size', 'size');

/** `resize slot 2 to 8M` */
const rule: Rule<[], Only<Resize>> = ($) => () => {
  $.CONSUME($.t.word('resize'));
  const id = $.SUBRULE($.slotId);
  $.CONSUME($.t.word('to'));
  return { act: 'resize', id, to: $.SUBRULE($.expression, NEW_SIZE) };
};

export const resize: HostActKind<Resize> = {
  rule,
  words: {
    'host-act': {
      resize: 'KVM_SET_USER_MEMORY_REGION with another size, which KVM refuses (EINVAL): `resize slot 1 to 8M`.',
    },
  },
  bind: bindParts,
  address: noAddress,
  memory: noMemory,
  lower: (host, node) => {
    const { script, frame, vm } = host;
    const named = host.slot(node.id, 'EINVAL');
    const size = named && script.context.between(node.to, frame.env, 'the size of a slot', 1n, (1n << 63n) - 1n);
    if (!named?.slot || size === null) return;
    const { id, slot } = named;
    const region = { ...regionOfSlot(slot), size: Number(size) };
    host.refused(node.to, vm.slots.set(region));
    const { gpa, hva } = region;
    const backing = { pageSize: script.run.host.pageSize, populated: true };
    const config = { id, gpa, hva, size: region.size, readonly: slot.readonly, logDirty: slot.dirtyLog !== null, backing };
    host.emit({ do: 'set-slot', slot: { ...config, origin: host.origin } });
  },
};
