/** `host create slot 2 { … }` */
import { bindParts, noAddress } from '../../kind';
import type { HostActKind } from '../../kind';
import type { HostActLowering } from '../../lower/host-acts';
import { checkGuestMemory, GuestPlacer } from '../../lower/nested-memory';
import { nodesOf } from '../../lower/slot-problems';
import { HvaAllocator, placeSlots, regionOf, settingOf } from '../../lower/slots';
import { draftSlot } from '../../machine/slot';
import type { Rule } from '../../syntax/grammar/rule';
import type { Slot } from '../../syntax/tree';
import type { HostActBase, Only } from './act';

const PAGE = 4096;

export interface Create extends HostActBase {
  readonly act: 'create';
  readonly slot: Slot | null;
}

/** `create slot 2 { … }` */
const rule: Rule<[], Only<Create>> = ($) => () => {
  $.CONSUME($.t.word('create'));
  if (!$.RECORDING_PHASE && !$.may($.t.word('slot'), 1)) {
    $.expectedSign('slot');
    return { act: 'create', slot: null };
  }
  const slot: Slot = $.SUBRULE($.slot);
  return { act: 'create', slot };
};

export const create: HostActKind<Create> = {
  rule,
  words: {
    'host-act': {
      create:
        'KVM_SET_USER_MEMORY_REGION: makes a slot, `host create slot 2 { … }`. For an id that exists it is the change that KVM makes of it, or its errno.',
    },
  },
  bind: bindParts,
  address: noAddress,
  memory: ({ slot }) => slot && { from: settingOf(slot, 'gpa'), size: settingOf(slot, 'size') },
  lower,
};

function lower(host: HostActLowering, node: Create): void {
  if (!node.slot) return;
  const { script, vm, frame } = host;
  const draft = draftSlot(script.context, node.slot, frame.env, script.run.host.pageSize);
  if (!draft) return;
  const around = vm.plan.parent;
  const guests = script.run.vms.filter(({ plan }) => plan.parent === around).flatMap(({ slots }) => slots.all());
  const placer = around ? new GuestPlacer(around.surroundings) : new HvaAllocator();
  for (const slot of around ? guests : vm.slots.all()) placer.claim(slot.hva, slot.pages * PAGE);
  const [plan] = placeSlots(script.context, [draft], placer);
  if (!plan) return;
  if (around) checkGuestMemory(script.context, [plan], around.surroundings);
  host.refusedSlot(regionOf(plan.config), nodesOf(node.slot));
  host.emit({ do: 'set-slot', slot: { ...plan.config, origin: host.origin } });
}
