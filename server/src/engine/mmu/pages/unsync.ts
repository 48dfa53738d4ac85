/** Tables of level 1 that the guest may write freely, and the marks that lead to them (§5.6; mmu.c: kvm_unsync_page, mmu_unsync_walk). */
import type { Kvm } from './kvm';
import { indexOf, type ShadowPage } from './shadow-page';

/**
 * May a frame be mapped writable? Synchronized shadows of level 1 become unsync for it (mmu_try_to_unsync_pages).
 *
 * @returns true: no, it must stay write-protected
 */
export function tryToUnsync(kvm: Kvm, gfn: number, canUnsync: boolean, prefetch: boolean): boolean {
  if (kvm.track.tracked(gfn)) return true;
  for (const page of kvm.pages.mirrors(gfn)) {
    if (!canUnsync) return true;
    if (page.unsync) continue;
    if (prefetch || !kvm.options.unsync) return true;
    page.event('kvm_mmu_unsync_page');
    page.unsync = true;
    markParentsUnsync(kvm, page);
  }
  return false;
}

/** Tell all tables above that there is an unsync one (kvm_mmu_mark_parents_unsync). */
function markParentsUnsync(kvm: Kvm, page: ShadowPage): void {
  for (const at of page.parents) markEntryUnsync(kvm, at);
}

/** An entry leads to an unsync page (mark_unsync). */
export function markEntryUnsync(kvm: Kvm, at: number): void {
  const above = kvm.pages.holding(at);
  if (above === null) return;
  const first = above.unsyncChildren === 0;
  if (above.markUnsyncChild(indexOf(at)) && first) markParentsUnsync(kvm, above);
}

/** The page counts as synchronized from now on, or ceases to be (kvm_unlink_unsync_page). */
export function unlinkUnsync(page: ShadowPage): void {
  page.event('kvm_mmu_sync_page');
  page.unsync = false;
}

/**
 * Unsync pages below a page, each once, in the order of the tables; marks that lead nowhere any more are cleared
 * (mmu_unsync_walk).
 */
export function unsyncBelow(kvm: Kvm, page: ShadowPage, found: ShadowPage[] = []): ShadowPage[] {
  if (page.unsyncChildren === 0) return found;
  for (let index = 0; index < 512; index++) {
    if (!page.hasUnsyncChild(index)) continue;
    const child = childAt(kvm, page, index);
    if (child === null || (!child.unsync && child.unsyncChildren === 0)) {
      page.clearUnsyncChild(index);
      continue;
    }
    if (child.unsync) {
      if (!found.includes(child)) found.push(child);
    } else {
      unsyncBelow(kvm, child, found);
      if (child.unsyncChildren === 0) page.clearUnsyncChild(index);
    }
  }
  return found;
}

function childAt(kvm: Kvm, page: ShadowPage, index: number): ShadowPage | null {
  const at = page.entryAddress(index);
  const lo = kvm.tables.low(at);
  if (!kvm.format.present(lo) || kvm.format.large(lo)) return null;
  return kvm.childOf(lo, kvm.tables.high(at));
}
