/**
 * Tables of level 1 that the guest may write freely, and how they are brought back into step (§5.6; mmu.c: kvm_unsync_page,
 * mmu_unsync_walk, mmu_sync_children).
 */
import { Kind } from '../../journal/events';
import type { Kvm } from './kvm';
import { indexOf } from './kvm';
import { protectFrame } from './write-protect';
import type { ShadowPage } from './shadow-page';
import { commitZap, flushOrZap, prepareZap } from './zap';

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
    page.event(Kind.kvm_mmu_unsync_page);
    page.unsync = true;
    markParentsUnsync(kvm, page);
  }
  return false;
}

/** Tell all tables above that there is an unsync one (kvm_mmu_mark_parents_unsync). */
export function markParentsUnsync(kvm: Kvm, page: ShadowPage): void {
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
  page.event(Kind.kvm_mmu_sync_page);
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

/** What brings one page into step with its guest table: 1 when a flush is due, 0 when not, -1 when it cannot be. */
export type SyncPage = (page: ShadowPage) => number;

/** All unsync pages below a page: write-protected again, then brought into step (mmu_sync_children). */
export function syncChildren(kvm: Kvm, parent: ShadowPage, sync: SyncPage): void {
  // Each round takes pages off the list; a page made unsync meanwhile would be a mistake, not an endless loop.
  for (let round = 0; round < 64; round++) {
    const pages = unsyncBelow(kvm, parent);
    if (pages.length === 0) return;
    let isProtected = false;
    for (const page of pages) isProtected = protectFrame(kvm, page.gfn) || isProtected;
    if (isProtected) kvm.flushRemoteTlbs();
    let flush = false;
    const invalid: ShadowPage[] = [];
    for (const page of pages) {
      if (!page.unsync) continue;
      unlinkUnsync(page);
      const result = sync(page);
      if (result < 0) prepareZap(kvm, page, invalid);
      else if (result > 0) flush = true;
    }
    unsyncBelow(kvm, parent);
    flushOrZap(kvm, invalid, flush);
  }
}

/** Zap the unsync pages below a page that is zapped itself (mmu_zap_unsync_children). @returns how many pages went */
export function zapUnsyncChildren(kvm: Kvm, parent: ShadowPage, invalid: ShadowPage[]): number {
  let zapped = 0;
  for (const page of unsyncBelow(kvm, parent)) {
    if (page.invalid) continue;
    prepareZap(kvm, page, invalid);
    zapped++;
  }
  unsyncBelow(kvm, parent);
  return zapped;
}

/** Bring a page into step without ending its unsync state (kvm_sync_page); one that cannot be is zapped. */
export function syncTransiently(kvm: Kvm, page: ShadowPage, sync: SyncPage): boolean {
  const invalid: ShadowPage[] = [];
  const result = sync(page);
  if (result < 0) prepareZap(kvm, page, invalid);
  commitZap(kvm, invalid);
  if (result > 0) kvm.flushRemoteTlbs();
  return result >= 0;
}

function childAt(kvm: Kvm, page: ShadowPage, index: number): ShadowPage | null {
  const at = page.entryAddress(index);
  const lo = kvm.tables.low(at);
  if (!kvm.format.present(lo) || kvm.format.large(lo)) return null;
  return kvm.childOf(lo, kvm.tables.high(at));
}
