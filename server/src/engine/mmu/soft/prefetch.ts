/**
 * Mapping the neighbours of an entry that a fault filled (§5.4; paging_tmpl.h: pte_prefetch, prefetch_gpte; mmu.c:
 * __direct_pte_prefetch). What a prefetch maps is not marked as used, and it makes no table unsync.
 */
import { Pfn } from '../../memory/guest-memory';
import type { Slot } from '../../memory/slots';
import { Acc, Role } from '../pages/role';
import { installLeaf } from '../faults/install';
import type { Kvm } from '../pages/kvm';
import { dropSpte } from '../pages/leaf';
import type { MmuContext } from '../contexts/mmu-context';
import { indexOf, type ShadowPage } from '../pages/shadow-page';
import { GuestEntry } from './guest-entry';

/** Entries looked at together (PTE_PREFETCH_NUM). */
const GROUP = 8;

/** Neighbours of a leaf that a fault has just filled. */
export function prefetchAround(kvm: Kvm, mmu: MmuContext, at: number): void {
  const page = kvm.pages.holding(at);
  if (page === null || page.level > 1 || !kvm.options.prefetch) return;
  if (page.direct) {
    prefetchDirect(kvm, page, at);
    return;
  }
  const index = indexOf(at);
  for (let i = index - (index % GROUP), end = i + GROUP; i < end; i++) {
    const other = page.entryAddress(i);
    // MMIO sptes are left as they are too, though they are not present to KVM.
    if (other === at || kvm.tables.low(other) !== 0) continue;
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

/** The whole group of a direct page, whatever the guest's tables say; runs of empty entries are mapped together. */
export function prefetchDirect(kvm: Kvm, page: ShadowPage, at: number): void {
  if (page.level > 1 || !kvm.options.prefetch || (page.role & Role.adDisabled) !== 0) return;
  const index = indexOf(at);
  const first = index - (index % GROUP);
  let run: number[] = [];
  for (let i = first; i <= first + GROUP; i++) {
    const other = page.entryAddress(i);
    if (i < first + GROUP && other !== at && !kvm.format.present(kvm.tables.low(other))) {
      run.push(i);
      continue;
    }
    if (run.length > 0 && !mapRun(kvm, page, run)) return;
    run = [];
  }
}

/** direct_pte_prefetch_many @returns false: stop */
function mapRun(kvm: Kvm, page: ShadowPage, run: readonly number[]): boolean {
  const { access } = page;
  const slot = mappableSlot(kvm, page.gfnAt(run[0]), (access & Acc.write) !== 0);
  if (slot === null || slot.readonly || !slot.contains(page.gfnAt(run[run.length - 1]))) return false;
  const pfns: number[] = [];
  for (const index of run) {
    const pfn = writablePage(kvm, page.gfnAt(index));
    if (pfn < 0) break;
    pfns.push(pfn);
  }
  pfns.forEach((pfn, i) => {
    installLeaf(kvm, page.entryAddress(run[i]), {
      slot,
      access,
      gfn: page.gfnAt(run[i]),
      pfn,
      hostWritable: true,
      prefetch: true,
      write: false,
    });
  });
  return pfns.length > 0;
}

/** gfn_to_memslot_dirty_bitmap */
function mappableSlot(kvm: Kvm, gfn: number, sparesLog: boolean): Slot | null {
  const slot = kvm.slotOf(gfn);
  return slot === null || slot.invalid || (sparesLog && slot.dirtyLog !== null) ? null : slot;
}

/** A page that is there and that the host lets be written, without waiting for it; -1 otherwise (gfn_to_pfn_memslot_atomic). */
function writablePage(kvm: Kvm, gfn: number): number {
  const { guest } = kvm;
  if (guest.look(gfn * 4096) < 0) return -1;
  return guest.follow(gfn, false) === Pfn.ok && guest.mapWritable ? guest.pfn : -1;
}
