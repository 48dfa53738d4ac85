/** What leads from one address to the next, as a station shows it. */
import { bytes, hex } from '../../events/wording';
import type { AddressSpace, Link } from '../../protocol/translation';
import type { SlotStep } from '../machine-state';

/** @param from address that it is of */
export function link(
  by: Link['by'],
  label: string,
  space: AddressSpace,
  from: number | bigint,
  to: number | null,
  note: string | null = null,
): Link {
  return { by, label, from: { space, address: hex(from) }, to: to === null ? null : hex(to), note };
}

/** @param named whose slot it is must be said */
export function slotLink({ slot, gpa: from, hva }: SlotStep, owner: 'L0' | 'L1', named: boolean): Link {
  const { id, gpa, size, readonly, logDirty } = slot!;
  const space = owner === 'L1' ? 'NGPA' : 'GPA';
  const notes = [`${bytes(size)} from ${space.toLowerCase()} ${hex(gpa)}`, readonly && 'read-only', logDirty && 'logs dirty pages'];
  return link('slot', `${named ? `${owner} ` : ''}slot ${id & 0xffff}`, space, from, hva, notes.filter(Boolean).join(', '));
}

const SIZES = ['', '4K', '2M', '1G'];

/** The page of the memory below; it may not be there. */
export function pageLink({ page, hva, below }: SlotStep, owner: 'L0' | 'L1', named: boolean): Link {
  const who = named ? owner : 'host';
  if (!page) return link('page', `no ${who} page`, 'HVA', hva!, null, 'not there yet: made at the first touch');
  const notes = [page.zero && 'the shared zero page', !page.writable && !page.zero && 'read-only'].filter(Boolean);
  return link('page', `${who} page of ${SIZES[page.level] ?? '4K'}`, 'HVA', hva!, below, notes.join(', ') || null);
}
