/**
 * Leaf entries: how one is made, changed and dropped (§5.5, §5.10; spte.c: make_spte, mmu.c: mmu_spte_update, drop_spte,
 * rmap_add).
 */
import type { Slot } from '../../memory/slots';
import type { Kvm } from './kvm';
import { indexOf } from './kvm';
import { Acc, Role } from './role';
import { RECYCLE_THRESHOLD } from './reverse-map';
import type { ShadowPage } from './shadow-page';
import { tryToUnsync } from './unsync';

export interface NewLeaf {
  readonly page: ShadowPage;
  readonly slot: Slot | null;
  readonly access: number;
  readonly gfn: number;
  readonly pfn: number;
  /** The entry that stands there now. */
  readonly oldLo: number;
  /** Not asked for by the guest: not marked as used, and no table becomes unsync for it. */
  readonly prefetch: boolean;
  /** False while synchronizing: then no table may become unsync. */
  readonly canUnsync: boolean;
  readonly hostWritable: boolean;
}

/**
 * The entry for a leaf, left in `kvm.format` (make_spte).
 *
 * @returns whether it had to stay write-protected because its frame holds a shadowed guest table
 */
export function makeLeaf(kvm: Kvm, leaf: NewLeaf): boolean {
  const { format } = kvm;
  const { page, slot, gfn, prefetch } = leaf;
  const adDisabled = (page.role & Role.adDisabled) !== 0;
  const guestMode = (page.role & Role.guestMode) !== 0;
  const { access, pfn, hostWritable } = leaf;
  format.leaf({ access, pfn, level: page.level, hostWritable, prefetch, adDisabled, guestMode });
  let refused = false;
  if ((access & Acc.write) !== 0 && hostWritable) {
    // An entry that was writable needs no second look at the frame. 6.1 leaves D of the new one clear then.
    const wasWritable = format.writable(leaf.oldLo);
    refused = !wasWritable && tryToUnsync(kvm, gfn, leaf.canUnsync, prefetch);
    if (!refused) format.addWritable();
    if (!refused && (!wasWritable || kvm.mainline)) format.addDirty();
  }
  if (prefetch && !(kvm.mainline && !leaf.canUnsync)) format.withoutAccessed();
  if (format.writable(format.lo) && slot !== null && slot.dirtyLog !== null) slot.dirtyLog.mark(gfn - slot.gfn);
  return refused;
}

/**
 * Replace a present entry by another for the same frame (mmu_spte_update).
 *
 * @returns whether translations must be flushed
 */
export function updateSpte(kvm: Kvm, at: number, lo: number, hi: number): boolean {
  const { format, tables } = kvm;
  const oldLo = tables.low(at);
  const oldHi = tables.high(at);
  kvm.setSpte(at, lo, hi);
  if (!format.present(oldLo)) return false;
  return (
    (format.mmuWritable(oldLo, oldHi) && !format.writable(lo)) ||
    (format.accessed(oldLo, oldHi) && !format.accessed(lo, hi)) ||
    (format.dirty(oldLo, oldHi) && !format.dirty(lo, hi))
  );
}

/** Empty an entry, and take it out of the reverse map (drop_spte). */
export function dropSpte(kvm: Kvm, page: ShadowPage, at: number): void {
  const { format, tables } = kvm;
  const present = format.present(tables.low(at));
  kvm.setSpte(at, 0, format.emptyHi);
  if (present) kvm.rmap.remove(page.gfnAt(indexOf(at)), page.level, at);
}

/** Enter a leaf into the reverse map; too many of one frame, and all go (rmap_add). */
export function addToReverseMap(kvm: Kvm, page: ShadowPage, at: number, gfn: number, access: number): void {
  page.setTranslation(indexOf(at), gfn, access);
  if (kvm.rmap.add(gfn, page.level, at) <= RECYCLE_THRESHOLD) return;
  zapFrame(kvm, gfn, page.level);
  kvm.flushRemoteTlbs(gfn, 1);
}

/** Drop all leaves of one level that map a frame (kvm_zap_rmap). */
export function zapFrame(kvm: Kvm, gfn: number, level: number): boolean {
  const sptes = [...kvm.rmap.of(gfn, level)];
  for (const at of sptes) {
    const page = kvm.pages.holding(at);
    if (page !== null) dropSpte(kvm, page, at);
  }
  return sptes.length > 0;
}
