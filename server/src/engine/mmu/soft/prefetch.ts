/**
 * Mapping the neighbours of an entry that a fault filled (§5.4; paging_tmpl.h: pte_prefetch, prefetch_gpte). What a prefetch maps is not marked as used, and it makes no table unsync.
 */
import { Acc } from '../pages/role';
import { installLeaf } from '../faults/install';
import { PREFETCH_GROUP, mappableSlot, prefetchDirect, writablePage } from '../faults/prefetch-direct';
import type { Kvm } from '../pages/kvm';
import { dropSpte } from '../pages/leaf';
import type { MmuContext } from '../contexts/mmu-context';
import { indexOf, type ShadowPage } from '../pages/shadow-page';
import { GuestEntry } from './guest-entry';

/** Neighbours of a leaf that a fault has just filled. */
export function prefetchAround(kvm: Kvm, mmu: MmuContext, at: number): void {
  const page = kvm.pages.holding(at);
  if (page === null || page.level > 1 || !kvm.options.prefetch) return;
  if (page.direct) {
    prefetchDirect(kvm, page, at);
    return;
  }
  const index = indexOf(at);
  for (let i = index - (index % PREFETCH_GROUP), end = i + PREFETCH_GROUP; i < end; i++) {
    const other = page.entryAddress(i);
    // An MMIO spte is not present to KVM (is_shadow_present_pte): its entry is tried, leads to no slot, and ends the scan.
    if (other === at || kvm.format.present(kvm.tables.low(other))) continue;
    if (!prefetchEntry(kvm, mmu, page, i, true)) return;
  }
}

/**
 * Map what the guest entry behind one empty entry says, without a fault. An entry that does not say anything usable leaves
 * nothing behind.
 *
 * @param sparesLog do not map writable what would be logged as dirty
 * @returns whether it was mapped
 */
export function prefetchEntry(kvm: Kvm, mmu: MmuContext, page: ShadowPage, index: number, sparesLog: boolean): boolean {
  const { format } = mmu.walker;
  const entry = new GuestEntry(kvm);
  const at = page.entryAddress(index);
  if (!entry.readMirrored(format, page, index)) return false;
  if (!entry.usable(format)) {
    dropSpte(kvm, page, at);
    return false;
  }
  const { gfn } = entry;
  const access = page.access & entry.access(format);
  const slot = mappableSlot(kvm, gfn, sparesLog && (access & Acc.write) !== 0);
  if (slot === null) return false;
  const pfn = writablePage(kvm, gfn);
  if (pfn < 0) return false;
  installLeaf(kvm, at, { slot, access, gfn, pfn, hostWritable: true, prefetch: true, write: false });
  return true;
}
