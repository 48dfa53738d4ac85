/** How many shadow pages there may be, and recycling of the oldest (§5.10; mmu.c: make_mmu_pages_available, kvm_mmu_zap_oldest_mmu_pages). */
import type { Kvm } from './kvm';
import type { ShadowPage } from './shadow-page';
import { commitZap, prepareZap } from './zap';

/** Pages that must be free before a fault builds anything, and up to which pages are recycled (KVM_MIN_FREE_MMU_PAGES, KVM_REFILL_PAGES). */
const MIN_FREE = 5;
const REFILL = 25;
const MIN_ALLOWED = 64;

/** Recycle the oldest pages when the limit is near (make_mmu_pages_available). @returns false: ENOSPC */
export function makePagesAvailable(kvm: Kvm): boolean {
  const { pages } = kvm;
  const free = Math.max(pages.max - pages.used, 0);
  if (free >= MIN_FREE) return true;
  zapOldest(kvm, REFILL - free);
  return pages.max > pages.used;
}

/** KVM_SET_NR_MMU_PAGES; 0: by the slots' size. @returns false: fewer than 64 */
export function setMaxPages(kvm: Kvm, count: number): boolean {
  if (count !== 0 && count < MIN_ALLOWED) return false;
  kvm.requestedPages = count;
  let goal = count !== 0 ? count : Math.max(Math.floor(kvm.guest.slots.pages / 50), MIN_ALLOWED);
  const { pages, trace } = kvm;
  const event = trace.journal.length;
  trace.emit('kvm_mmu_change_mmu_pages', { pages: goal });
  if (pages.used > goal) {
    zapOldest(kvm, pages.used - goal);
    goal = Math.max(goal, pages.used);
    trace.journal.goesOn(event);
  }
  pages.max = goal;
  return true;
}

/** Zap pages in order of creation, roots in use excepted (kvm_mmu_zap_oldest_mmu_pages). */
function zapOldest(kvm: Kvm, count: number): void {
  const invalid: ShadowPage[] = [];
  let total = 0;
  for (const page of [...kvm.pages.active]) {
    if (total >= count) break;
    if (page.rootCount > 0 || page.invalid) continue;
    total += prepareZap(kvm, page, invalid).zapped;
  }
  commitZap(kvm, invalid);
}
