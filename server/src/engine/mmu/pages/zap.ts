/** Removal of shadow pages (§5.10; mmu.c: __kvm_mmu_prepare_zap_page, kvm_mmu_commit_zap_page, kvm_mmu_unprotect_page). */
import type { Kvm } from './kvm';
import { dropSpte } from './leaf';
import { Role } from './role';
import type { ShadowPage } from './shadow-page';
import { unlinkUnsync, unsyncBelow } from './unsync';

/**
 * Empty one entry: a leaf leaves the reverse map, a table below loses a parent (mmu_page_zap_pte).
 *
 * @param orphans nested tables without a parent, which will hardly be wanted again, are added here; null: they stay
 */
export function zapEntry(kvm: Kvm, page: ShadowPage, at: number, orphans: ShadowPage[] | null): void {
  const { format, tables } = kvm;
  const lo = tables.low(at);
  const hi = tables.high(at);
  if (!format.present(lo)) {
    if (format.isMmio(lo, hi)) kvm.setSpte(at, format.empty);
    return;
  }
  if (format.last(lo, page.level)) return dropSpte(kvm, page, at);
  const child = kvm.childOf(lo, hi);
  unlink(kvm, child, at);
  if (child !== null && kvm.tdp && (child.role & Role.guestMode) !== 0 && child.parents.size === 0) orphans?.push(child);
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
  const { journal } = kvm.trace;
  const event = journal.length;
  page.event('kvm_mmu_prepare_zap_page');
  const accounted = !page.invalid && page.hasGuestEntries;
  const freed = page.rootCount === 0;
  const zappedRoot = !freed && !pages.obsolete(page);
  if (accounted) pages.indirect--;
  if (freed) pages.discount();
  page.invalidate();
  pages.active.delete(page);

  let zapped = page.level === 1 ? 0 : zapUnsyncChildren(kvm, page, invalid, event);
  const orphans: ShadowPage[] = [];
  journal.goesOn(event);
  for (let index = 0; index < 512; index++) zapEntry(kvm, page, page.entryAddress(index), orphans);
  for (const at of page.parents) kvm.setSpte(at, kvm.format.empty);
  page.parents.clear();
  for (const orphan of orphans) zapped += prepareZap(kvm, orphan, invalid).zapped;
  const unstable = zapped > 0;

  if (accounted && page.level > 1) track.remove(page.gfn);
  else if (accounted) track.allowLarge(page.gfn);
  if (page.unsync) unlinkUnsync(page);
  if (freed) {
    zapped++;
    invalid.push(page);
  }
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

/**
 * Zap all pages that mirror a guest frame, so that it can be written natively (kvm_mmu_unprotect_page).
 *
 * @returns some page is gone; a root in use is not
 */
export function unprotectFrame(kvm: Kvm, gfn: number): boolean {
  const invalid: ShadowPage[] = [];
  for (const page of kvm.pages.mirrors(gfn)) if (!page.invalid) prepareZap(kvm, page, invalid);
  const gone = invalid.length > 0;
  commitZap(kvm, invalid);
  return gone;
}

/**
 * Zap the unsync pages below a page that is zapped itself (mmu_zap_unsync_children).
 *
 * @param event row of that
 * @returns how many pages went
 */
function zapUnsyncChildren(kvm: Kvm, parent: ShadowPage, invalid: ShadowPage[], event: number): number {
  let zapped = 0;
  for (const page of unsyncBelow(kvm, parent)) {
    if (page.invalid) continue;
    prepareZap(kvm, page, invalid);
    zapped++;
  }
  kvm.trace.journal.goesOn(event);
  unsyncBelow(kvm, parent);
  return zapped;
}
