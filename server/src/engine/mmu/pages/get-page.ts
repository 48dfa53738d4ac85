/** Finding a shadow page by frame and role, or making it (§5.4; mmu.c: kvm_mmu_find_shadow_page, __link_shadow_page). */
import type { Kvm } from './kvm';
import { dropSpte, replaced } from './leaf';
import { protectFrame } from './write-protect';
import { Role, childRole, levelOf } from './role';
import { indexOf, type ShadowPage } from './shadow-page';
import { syncTransiently, type SyncPage } from './sync-children';
import { markEntryUnsync } from './unsync';
import { commitZap, prepareZap } from './zap';

/** Null: no frame is left for a table. */
export function getShadowPage(kvm: Kvm, gfn: number, role: number, sync: SyncPage): ShadowPage | null {
  const found = find(kvm, gfn, role, sync);
  if (found !== null) {
    found.got(false);
    if (!found.direct) found.floodingCount = 0;
    return found;
  }
  const page = kvm.pages.create(gfn, role);
  if (page === null) return null;
  if (page.hasGuestEntries) account(kvm, page);
  kvm.pages.appear(page, kvm.format.empty);
  return page;
}

/**
 * The page for an entry to point to (kvm_mmu_get_child_sp).
 *
 * @returns 'linked': the entry points to a table already; null: no frame is left
 */
export function getChild(kvm: Kvm, at: number, gfn: number, direct: boolean, access: number, sync: SyncPage): ShadowPage | 'linked' | null {
  const lo = kvm.tables.low(at);
  if (kvm.format.present(lo) && !kvm.format.large(lo)) return 'linked';
  const parent = kvm.pages.holding(at);
  if (parent === null) return null;
  return getShadowPage(kvm, gfn, childRole(parent.role, indexOf(at), direct, access), sync);
}

/** Let an entry point to a table; a huge leaf that stands there goes. @param flush the table may lead to less than the leaf did */
export function linkShadowPage(kvm: Kvm, at: number, child: ShadowPage, flush = true): void {
  const { format, tables } = kvm;
  if (format.present(tables.low(at))) dropHuge(kvm, at, flush);
  const spte = format.nonLeaf(child.frame, (child.role & Role.adDisabled) !== 0);
  kvm.trace.emit('link_shadow_page', { gfn: child.gfn, spte, sptep: at, level: child.level + 1 });
  child.parents.add(at);
  if (child.unsync || child.unsyncChildren > 0) markEntryUnsync(kvm, at);
  kvm.setSpte(at, spte);
}

/** drop_large_spte */
function dropHuge(kvm: Kvm, at: number, flush: boolean): void {
  const page = kvm.pages.holding(at);
  if (page === null) return;
  replaced(kvm, page, at);
  dropSpte(kvm, page, at);
  if (flush) kvm.flushRemoteTlbs(page.gfnAt(indexOf(at)), 1);
}

function find(kvm: Kvm, gfn: number, role: number, sync: SyncPage): ShadowPage | null {
  const invalid: ShadowPage[] = [];
  let found: ShadowPage | null = null;
  for (const page of kvm.pages.valid(gfn)) {
    if (page.role !== role) {
      // The frame becomes an upper table, which is never unsync: its use as a page table seems to be over.
      if (levelOf(role) > 1 && page.unsync) prepareZap(kvm, page, invalid);
      continue;
    }
    if (!page.direct && page.unsync && !syncTransiently(kvm, page, sync)) break;
    found = page;
    break;
  }
  commitZap(kvm, invalid);
  return found;
}

/** A guest table is shadowed from now on (account_shadowed). */
function account(kvm: Kvm, page: ShadowPage): void {
  const { gfn } = page;
  if (page.level > 1) {
    kvm.track.add(gfn);
    if (protectFrame(kvm, gfn)) kvm.flushRemoteTlbs();
    return;
  }
  kvm.track.disallowLarge(gfn);
  if (protectFrame(kvm, gfn)) kvm.flushRemoteTlbs(gfn, 1);
}
