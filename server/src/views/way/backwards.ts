/** The way of an address that the processor's tables or caches lead elsewhere than memory says: from the host's page back to the guest. */
import { hex } from '../../events/wording';
import type { Station } from '../../protocol/translation';
import type { MachineState } from '../machine-state';
import { link, pageLink, slotLink } from './links';

/**
 * @param start the address asked for
 * @param by what led there
 */
export function backwards(state: MachineState, hpa: number, start: Station, by: string): readonly Station[] {
  const place = state.gpaOf(hpa);
  const led = link('tables', by, start.space, BigInt(start.address!.replaceAll('_', '')), place?.gpa ?? hpa, 'not as memory says now');
  if (!place) return [start, { space: 'HPA', address: hex(hpa), links: [led] }];
  const named = state.machine.vms.some(({ parent }) => parent !== null);
  const step = state.slotSteps(place.vm, place.gpa)[0];
  return [
    start,
    { space: 'GPA', address: hex(place.gpa), links: [led] },
    { space: 'HVA', address: hex(step.hva!), links: [slotLink(step, 'L0', named)] },
    { space: 'HPA', address: hex(hpa), links: [pageLink(step, 'L0', named)] },
  ];
}
