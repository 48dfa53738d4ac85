/**
 * Mapping the neighbours of an entry of a direct page (§5.4; mmu.c: __direct_pte_prefetch): whatever the guest's tables say,
 * the frames follow one another.
 */
import { Pfn } from '../../memory/guest-memory';
import type { Slot } from '../../memory/slots';
import type { Kvm } from '../pages/kvm';
import { Acc } from '../pages/role';
import { indexOf, type ShadowPage } from '../pages/shadow-page';
import { installLeaf } from './install';

/** Entries looked at together (PTE_PREFETCH_NUM). */
export const PREFETCH_GROUP = 8;

/** The whole group of a direct page, whatever the guest's tables say; runs of empty entries are mapped together. */
export function prefetchDirect(kvm: Kvm, page: ShadowPage, at: number): void {
  if (page.level > 1 || !kvm.options.prefetch) return;
  const index = indexOf(at);
  const first = index - (index % PREFETCH_GROUP);
  let run: number[] = [];
  for (let i = first; i <= first + PREFETCH_GROUP; i++) {
    const other = page.entryAddress(i);
    if (i < first + PREFETCH_GROUP && other !== at && !kvm.format.present(kvm.tables.low(other))) {
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
export function mappableSlot(kvm: Kvm, gfn: number, sparesLog: boolean): Slot | null {
  const slot = kvm.slotOf(gfn);
  return slot === null || slot.invalid || (sparesLog && slot.dirtyLog !== null) ? null : slot;
}

/** A page that is there and that the host lets be written, without waiting for it; -1 otherwise (gfn_to_pfn_memslot_atomic). */
export function writablePage(kvm: Kvm, gfn: number): number {
  const { guest } = kvm;
  if (guest.look(gfn * 4096) < 0) return -1;
  const { outcome, mapWritable, pfn } = guest.follow(gfn, false);
  return outcome === Pfn.ok && mapWritable ? pfn : -1;
}
