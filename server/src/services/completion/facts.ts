/** Names and addresses of the machine at hand, for snippets. */
import type { Declared } from './declared';
import { besideSlots, freeForTables, freeLinear, freeTarget } from './free';
import type { SnippetFacts } from './snippets';
import { hexOf } from './values';

export function snippetFacts(declared: Declared): SnippetFacts {
  const slots = declared.slots();
  const [first] = declared.mapped(declared.firstStage());
  const around = declared.tablesAround();
  const all = declared.mapped();
  return {
    hasVm: declared.vms.length > 0,
    vm: declared.vms[0]?.name?.text ?? 'guest',
    tables: declared.firstStage()[0]?.name?.text ?? 'kernel',
    linear: first ? hexOf(first.from) : '0x40_0000',
    target: first ? hexOf(first.to) : '0x20_0000',
    slot: hexOf(slots[0]?.id ?? 0n),
    nextSlot: hexOf(declared.nextSlotId()),
    free: hexOf(besideSlots(slots).at(-1)!.at),
    root: hexOf(freeForTables(slots, [...declared.roots().values()], all) ?? 0x1000n),
    nextLinear: hexOf(freeLinear(around ? declared.mapped([around]) : []).at),
    nextTarget: hexOf(freeTarget(slots, all) ?? 0x20_0000n),
  };
}
