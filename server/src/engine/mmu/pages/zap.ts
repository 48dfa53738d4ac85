/** Removal of shadow pages (§5.10; mmu.c: __kvm_mmu_prepare_zap_page, kvm_mmu_commit_zap_page, kvm_mmu_unprotect_page). */
import type { Kvm } from './kvm';
import { dropSpte } from './leaf';
import { Role } from './role';
import type { ShadowPage } from './shadow-page';
import { unlinkUnsync, unsyncBelow } from './unsync';

/** Empty one entry: a leaf leaves the reverse map, a table below loses a parent (mmu_page_zap_pte). @returns pages zapped with it */
export function zapEntry(kvm: Kvm, page: ShadowPage, at: number, invalid: ShadowPage[] | null): number {
  const { format, tables } = kvm;
  const lo = tables.low(at);
  const hi = tables.high(at);
  if (!format.present(lo)) {
    if (format.isMmio(lo, hi)) kvm.setSpte(at, format.empty);
    return 0;
  }
  if (format.last(lo, page.level)) {
    dropSpte(kvm, page, at);
    return 0;
  }
  const child = kvm.childOf(lo, hi);
  unlink(kvm, child, at);
  // Nested tables without a parent will hardly be wanted again.
  if (child === null || !kvm.tdp || invalid === null || (child.role & Role.guestMode) === 0 || child.parents.size > 0) return 0;
  return prepareZap(kvm, child, invalid).zapped;
}

/** An entry points to a table no more (drop_parent_pte). */
export function unlink(kvm: Kvm, child: ShadowPage | null, at: number): void {
  child?.parents.delete(at);
  kvm.setSpte(at, kvm.format.empty);
}

/**
 * Zap a page: what it maps goes, whoever pointed to it does so no more. It is freed by {@link commitZap}; as a root in use it
 * lives on, invalid.
 *
 * @returns pages zapped, and whether the list of active pages has changed beyond this one
 */
export function prepareZap(kvm: Kvm, page: ShadowPage, invalid: ShadowPage[]): { zapped: number; unstable: boolean } {
  const { pages, track } = kvm;
  page.event('kvm_mmu_prepare_zap_page');
  let zapped = page.level === 1 ? 0 : zapUnsyncChildren(kvm, page, invalid);
  for (let index = 0; index < 512; index++) zapped += zapEntry(kvm, page, page.entryAddress(index), invalid);
  for (const at of page.parents) kvm.setSpte(at, kvm.format.empty);
  page.parents.clear();
  const unstable = zapped > 0;

  if (!page.invalid && page.hasGuestEntries) {
    pages.indirect--;
    if (page.level > 1) track.remove(page.gfn);
    else track.allowLarge(page.gfn);
  }
  if (page.unsync) unlinkUnsync(page);
  let zappedRoot = false;
  pages.active.delete(page);
  if (page.rootCount === 0) {
    zapped++;
    invalid.push(page);
    pages.discount();
  } else zappedRoot = !pages.obsolete(page);
  page.invalidate();
  if (zappedRoot) kvm.freeObsoleteRoots();
  return { zapped, unstable };
}

/** Flush, then free what was zapped. */
export function commitZap(kvm: Kvm, invalid: ShadowPage[]): void {
  if (invalid.length === 0) return;
  kvm.flushRemoteTlbs();
  for (const page of invalid.splice(0)) kvm.pages.free(page);
}

/** kvm_mmu_remote_flush_or_zap */
export function flushOrZap(kvm: Kvm, invalid: ShadowPage[], flush: boolean): void {
  if (invalid.length > 0) commitZap(kvm, invalid);
  else if (flush) kvm.flushRemoteTlbs();
}

/** Zap all pages that mirror a guest frame, so that it can be written natively (kvm_mmu_unprotect_page). */
export function unprotectFrame(kvm: Kvm, gfn: number): boolean {
  const invalid: ShadowPage[] = [];
  const pages = kvm.pages.mirrors(gfn);
  for (const page of pages) if (!page.invalid) prepareZap(kvm, page, invalid);
  commitZap(kvm, invalid);
  return pages.length > 0;
}

/** Zap the unsync pages below a page that is zapped itself (mmu_zap_unsync_children). @returns how many pages went */
function zapUnsyncChildren(kvm: Kvm, parent: ShadowPage, invalid: ShadowPage[]): number {
  let zapped = 0;
  for (const page of unsyncBelow(kvm, parent)) {
    if (page.invalid) continue;
    prepareZap(kvm, page, invalid);
    zapped++;
  }
  unsyncBelow(kvm, parent);
  return zapped;
}
