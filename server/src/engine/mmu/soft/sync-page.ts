/** Bringing shadows of level-1 tables into step (§5.6; paging_tmpl.h: sync_page). */
import type { Format } from '../../x86/formats';
import { markMmio } from '../faults/mmio-sptes';
import type { Kvm } from '../pages/kvm';
import { dropSpte, updateSpte } from '../pages/leaf';
import { makeLeaf } from '../pages/make-leaf';
import type { MmuContext } from '../contexts/mmu-context';
import { SYNC_IGNORES } from '../pages/role';
import { indexOf, type ShadowPage } from '../pages/shadow-page';
import { GuestEntry } from './guest-entry';

/**
 * Compare each entry with the guest's: another frame, or nothing usable, and it is dropped; the same frame, and it is made
 * anew with the rights of now.
 *
 * @returns 1 when translations must be flushed, 0 when not, -1 when this context cannot judge the page
 */
export function syncPage(kvm: Kvm, mmu: MmuContext, page: ShadowPage): number {
  if (page.direct || ((page.role ^ mmu.rootRole) & ~SYNC_IGNORES) !== 0) return -1;
  let flush = false;
  for (let index = 0; index < 512; index++) {
    const result = syncEntry(kvm, mmu.walker.format, page, index);
    if (result < 0) return -1;
    flush = result > 0 || flush;
  }
  return flush ? 1 : 0;
}

/** One entry; results as {@link syncPage}. */
export function syncEntry(kvm: Kvm, guestFormat: Format, page: ShadowPage, index: number): number {
  const { format, tables } = kvm;
  const { journal } = kvm.trace;
  const event = journal.current;
  const at = page.entryAddress(index);
  if (tables.low(at) === format.empty.lo && tables.high(at) === format.empty.hi) return 0;
  const entry = new GuestEntry(kvm);
  if (!entry.readMirrored(guestFormat, page, index)) return -1;
  journal.goesOn(event);
  if (!entry.usable(guestFormat)) {
    dropSpte(kvm, page, at);
    return 1;
  }
  return renew(kvm, page, at, entry.gfn, page.access & entry.access(guestFormat), event) ? 1 : 0;
}

/**
 * Give an entry the frame and rights of the guest's.
 *
 * @param event row of the event that does it
 * @returns whether translations must be flushed
 */
function renew(kvm: Kvm, page: ShadowPage, at: number, gfn: number, access: number, event: number): boolean {
  const { format, tables } = kvm;
  const lo = tables.low(at);
  const hi = tables.high(at);
  if (format.isMmio(lo, hi)) {
    if (format.mmioGfn(lo, hi) !== gfn) kvm.setSpte(at, format.empty);
    else {
      markMmio(kvm, at, gfn, access);
      kvm.trace.journal.goesOn(event);
    }
    return false;
  }
  if (!format.present(lo)) return false;
  const index = indexOf(at);
  if ((access === 0 && format.rightsImplyPresence) || gfn !== page.gfnAt(index)) {
    dropSpte(kvm, page, at);
    return true;
  }
  if (kvm.rules.syncKeepsUnchanged && page.accessAt(index) === access) return false;
  page.setTranslation(index, gfn, access);
  const slot = kvm.slotOf(gfn);
  const hostWritable = format.hostWritable(lo, hi);
  const { spte } = makeLeaf(kvm, {
    page,
    slot,
    access,
    gfn,
    pfn: format.pfn(lo, hi),
    oldLo: lo,
    prefetch: true,
    canUnsync: false,
    hostWritable,
  });
  kvm.trace.journal.goesOn(event);
  return updateSpte(kvm, at, spte);
}
