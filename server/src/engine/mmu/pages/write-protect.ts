/** Taking W away from what maps a guest frame (§5.4, §5.12; mmu.c: spte_write_protect, kvm_mmu_slot_gfn_write_protect). */
import type { Kvm } from './kvm';
import { updateSpte } from './leaf';

/**
 * Write-protect all leaves of one level that map a frame (rmap_write_protect).
 *
 * @param forShadow for shadow paging: MMU-W goes too; else for the dirty log
 * @returns whether some entry lost anything
 */
export function protectLeaves(kvm: Kvm, gfn: number, level: number, forShadow: boolean): boolean {
  const { format, tables } = kvm;
  let flush = false;
  let said = false;
  for (const at of kvm.rmap.of(gfn, level)) {
    const lo = tables.low(at);
    const hi = tables.high(at);
    if (!format.writable(lo) && !(forShadow && format.mmuWritable(lo, hi))) continue;
    if (!said) kvm.trace.emit('rmap_write_protect', { gfn, shadow: forShadow, level });
    said = true;
    flush = updateSpte(kvm, at, format.protect(lo, hi, forShadow)) || flush;
  }
  return flush;
}

/** Write-protect a frame that holds a guest table, in every root and at every level (kvm_mmu_slot_gfn_write_protect). */
export function protectFrame(kvm: Kvm, gfn: number, fromLevel = 1): boolean {
  let changed = false;
  for (let level = fromLevel; level <= 3; level++) changed = protectLeaves(kvm, gfn, level, true) || changed;
  if (kvm.tdpMmu !== null) changed = kvm.tdpMmu.protectFrame(gfn, fromLevel) || changed;
  return changed;
}

/** A write to the frame would have to be seen: a table of level 2 or above, or one of level 1 in step, is shadowed there. */
export function protectedByShadow(kvm: Kvm, gfn: number): boolean {
  return kvm.track.tracked(gfn) || kvm.pages.mirrors(gfn).some((page) => !page.unsync);
}
