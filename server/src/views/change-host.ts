/** Changes of the VMM's mappings: single host pages, and areas of them. */
import { Space } from '../engine/journal/events';
import { hostArea, hostKeyOf, hostPageAt } from '../engine/memory/host-pages';
import type { MachineState } from './machine-state';
import { bytes, hex } from '../events/wording';

const PAGE = 4096;
const SIZES = ['', '4K', '2M', '1G'];

export interface Thing {
  readonly what: string;
  readonly text: string;
}

/** First key of the page's or area's record; null for counts. */
export function hostThing(key: number): number | null {
  const { page, area } = hostKeyOf(key);
  if (page !== null) return key;
  return area === null ? null : key - (key % 4);
}

export function pageText(machine: MachineState, thing: number): Thing | null {
  const { owner, page } = hostKeyOf(thing);
  if (page === null) return null;
  const words = machine.words(Space.hostPage);
  const found = words.get(thing) === 0n ? null : hostPageAt(words, owner, page * PAGE);
  const what = `hva ${hex(page * PAGE)}`;
  if (!found) return { what, text: '—' };
  return { what, text: `hpa ${hex(found.frame * PAGE)}${found.zero ? ', zero page' : ''}` };
}

export function areaText(machine: MachineState, thing: number): Thing | null {
  const { owner, area } = hostKeyOf(thing);
  if (area === null) return null;
  const found = hostArea(machine.words(Space.hostPage), owner, area);
  if (!found) return null;
  const what = `hva ${hex(found.start * PAGE)} +${bytes(found.pages * PAGE)}`;
  const backed = found.frame < 0 ? 'not there' : `hpa ${hex(found.frame * PAGE)}`;
  return { what, text: `${backed}, pages of ${SIZES[found.level]}${found.writable ? '' : ', read-only'}` };
}
