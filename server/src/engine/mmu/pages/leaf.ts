/** Leaf entries: how one is changed and dropped, and its place in the reverse map (§5.10; mmu.c: mmu_spte_update, drop_spte, rmap_add). */
import type { Kvm } from './kvm';
import { RECYCLE_THRESHOLD } from './reverse-map';
import { indexOf, type ShadowPage } from './shadow-page';
import type { Spte } from './spte';

/**
 * Replace a present entry by another for the same frame (mmu_spte_update).
 *
 * @returns whether translations must be flushed
 */
export function updateSpte(kvm: Kvm, at: number, spte: Spte): boolean {
  const { lo, hi } = spte;
  const { format, tables } = kvm;
  const oldLo = tables.low(at);
  const oldHi = tables.high(at);
  kvm.setSpte(at, spte);
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
  kvm.setSpte(at, format.empty);
  if (present) kvm.rmap.remove(page.gfnAt(indexOf(at)), page.level, at);
}

/** What stands in an entry goes for another: an event of its own. */
export function replaced(kvm: Kvm, page: ShadowPage, at: number): void {
  const { tables, trace } = kvm;
  const spte = { lo: tables.low(at), hi: tables.high(at) };
  trace.journal.dueTo(() => trace.emit('drop_spte', { gfn: page.gfnAt(indexOf(at)), spte, sptep: at, level: page.level }));
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
  if (sptes.length > 0) kvm.trace.emit('kvm_zap_rmap', { gfn, level });
  for (const at of sptes) {
    const page = kvm.pages.holding(at);
    if (page !== null) dropSpte(kvm, page, at);
  }
  return sptes.length > 0;
}
