/** How unsync pages are brought back into step (§5.6; mmu.c: mmu_sync_children, kvm_sync_page). */
import type { Kvm } from './kvm';
import type { ShadowPage } from './shadow-page';
import { unlinkUnsync, unsyncBelow } from './unsync';
import { protectFrame } from './write-protect';
import { commitZap, flushOrZap, prepareZap } from './zap';

/** What brings one page into step with its guest table: 1 when a flush is due, 0 when not, -1 when it cannot be. */
export type SyncPage = (page: ShadowPage) => number;

/** All unsync pages below a page: write-protected again, then brought into step (mmu_sync_children). */
export function syncChildren(kvm: Kvm, parent: ShadowPage, sync: SyncPage): void {
  // Each round takes pages off the list; a page made unsync meanwhile would be a mistake, not an endless loop.
  const due = (): void => kvm.trace.journal.dueTo(() => parent.event('kvm_sync_page'));
  for (let round = 0; round < 64; round++) {
    due();
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
    due();
    unsyncBelow(kvm, parent);
    flushOrZap(kvm, invalid, flush);
  }
}

/** Bring a page into step without ending its unsync state (kvm_sync_page); one that cannot be is zapped. */
export function syncTransiently(kvm: Kvm, page: ShadowPage, sync: SyncPage): boolean {
  const invalid: ShadowPage[] = [];
  page.event('kvm_sync_page');
  const result = sync(page);
  if (result < 0) prepareZap(kvm, page, invalid);
  commitZap(kvm, invalid);
  if (result > 0) kvm.flushRemoteTlbs();
  return result >= 0;
}
