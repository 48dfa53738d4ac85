/** Where the addresses of a way lie in their spaces: among the memory slots, and in the host's memory. */
import { Space } from '../../engine/journal/spaces';
import { slotsAt } from '../../engine/memory/slot-records';
import type { SlotRecord } from '../../engine/memory/slot-records';
import { bytes, hex } from '../../events/wording';
import type { AddressSpace, SpaceMap, Station } from '../../protocol/translation';
import type { MachineState } from '../machine-state';

const PAGES: readonly number[] = [4096, 4096, 2 << 20, 1 << 30];

/** One for each station but linear addresses, in their order. */
export function spaceMaps(state: MachineState, vm: number, stations: readonly Station[]): SpaceMap[] {
  const outer = state.machine.vms[vm].parent ?? vm;
  let below = 4096;
  return stations.flatMap(({ space, address }): SpaceMap[] => {
    if (address === null) return [];
    const at = Number(address.replaceAll('_', ''));
    switch (space) {
      case 'NGPA':
        return [slotMap(state, vm, space, at, ({ gpa }) => gpa)];
      case 'GPA':
        below = pageSize(state, outer, at);
        return [slotMap(state, outer, space, at, ({ gpa }) => gpa)];
      case 'HVA':
        return [slotMap(state, outer, space, at, ({ hva }) => hva)];
      case 'HPA': {
        const area = { label: `page of ${bytes(below)}`, start: hex(at - (at % below)), size: hex(below), holds: true };
        return [{ space, address, from: hex(0), to: hex(Math.max(state.host.memory, at + below)), areas: [area] }];
      }
      default:
        return [];
    }
  });
}

/** Size of the host's page behind an address of a VM. */
function pageSize(state: MachineState, vm: number, gpa: number): number {
  return PAGES[state.slotSteps(vm, gpa)[0].page?.level ?? 1];
}

/** @param startOf of the two ends of a slot, that which lies in the space */
function slotMap(state: MachineState, vm: number, space: AddressSpace, at: number, startOf: (slot: SlotRecord) => number): SpaceMap {
  const slots = slotsAt(state.words(Space.slot), vm).filter(({ id }) => id >>> 16 === 0);
  const areas = slots.map((slot) => {
    const start = startOf(slot);
    return { label: `slot ${slot.id}`, start: hex(start), size: hex(slot.size), holds: at >= start && at < start + slot.size };
  });
  const end = Math.max(at + 1, ...slots.map((slot) => startOf(slot) + slot.size));
  const from = space === 'HVA' ? Math.min(at, ...slots.map(startOf)) : 0;
  return { space, address: hex(at), from: hex(from), to: hex(end), areas };
}
