/** Changes of the VMM's mappings: single host pages, and areas of them. */
import { Space, SPACES } from '../engine/journal/spaces';
import { areaOf, hostArea, hostPageAt } from '../engine/memory/host-pages';
import type { MachineState } from './machine-state';
import { bytes, hex } from '../events/wording';

const PAGE = 4096;
const SIZES = ['', '4K', '2M', '1G'];

export function pageWhat(thing: number): string {
  return `hva ${hex(SPACES[Space.hostPage].key.field(thing, 'page') * PAGE)}`;
}

/** Null: no page is there. */
export function pageText(machine: MachineState, thing: number): string | null {
  const { owner, page } = SPACES[Space.hostPage].key.decode(thing);
  const found = machine.words(Space.hostPage).get(thing) === 0n ? null : hostPageAt(machine.state, owner, page * PAGE);
  return found && `hpa ${hex(found.frame * PAGE)}${found.zero ? ', zero page' : ''}`;
}

/** First key of an area's record; null for counts. */
export function areaThing(key: number): number | null {
  return areaOf(key) === null ? null : SPACES[Space.hostArea].key.with(key, 'field', 0);
}

/** Null: the area is not there. */
export function areaAt(machine: MachineState, thing: number): { readonly what: string; readonly text: string } | null {
  const { owner, area } = SPACES[Space.hostArea].key.decode(thing);
  const found = hostArea(machine.state, owner, area);
  if (!found) return null;
  const what = `hva ${hex(found.start * PAGE)} +${bytes(found.pages * PAGE)}`;
  const backed = found.frame < 0 ? 'not there' : `hpa ${hex(found.frame * PAGE)}`;
  return { what, text: `${backed}, pages of ${SIZES[found.level]}${found.writable ? '' : ', read-only'}` };
}
