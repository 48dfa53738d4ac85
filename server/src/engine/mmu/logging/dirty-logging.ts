/**
 * Logging of dirty pages by write protection or PML (§5.12, §6.5; x86.c: kvm_mmu_slot_apply_flags, mmu.c:
 * kvm_arch_mmu_enable_log_dirty_pt_masked).
 */
import type { Slot } from '../../memory/slots';
import { maxMappingLevel } from '../faults/fault-in';
import type { Kvm } from '../pages/kvm';
import { splitHugePages } from './eager-split';
import { dropSpte, replaced, updateSpte } from '../pages/leaf';
import { protectLeaves } from '../pages/write-protect';

/** Pages of a word of a dirty log (BITS_PER_LONG). */
const LOG_WORD = 64;

/** Logging of a slot was switched on: nothing may be written unseen. */
export function startLogging(kvm: Kvm, slot: Slot): void {
  const { tdpMmu } = kvm;
  if (slot.readonly || kvm.options.dirtyLogInitiallySet) return;
  const end = slot.gfn + slot.pages;
  splitHugePages(kvm, slot.gfn, end);
  const byProtectionFrom = kvm.pmlActive ? 2 : 1;
  if (kvm.pmlActive) {
    for (const gfn of kvm.rmap.blocks(slot.gfn, end, 1)) clearDirty(kvm, gfn);
    tdpMmu?.rearm(slot.gfn, end, false);
  }
  for (let level = byProtectionFrom; level <= 3; level++) {
    for (const gfn of kvm.rmap.blocks(slot.gfn, end, level)) protectLeaves(kvm, gfn, level, false);
  }
  tdpMmu?.protectSlot(slot, byProtectionFrom);
  kvm.flushRemoteTlbs(slot.gfn, slot.pages);
}

/** Logging was switched off: small leaves that could be huge go, so that huge ones come back. */
export function stopLogging(kvm: Kvm, slot: Slot): void {
  if (slot.readonly) return;
  const end = slot.gfn + slot.pages;
  const largest = (gfn: number): number => maxMappingLevel(kvm, slot, gfn, hostLevel(kvm, gfn));
  let flush = false;
  for (let level = 1; level < 3; level++) {
    for (const gfn of kvm.rmap.blocks(slot.gfn, end, level)) {
      for (const at of [...kvm.rmap.of(gfn, level)]) {
        const page = kvm.pages.holding(at);
        if (page === null || !page.direct || page.level >= largest(page.gfn)) continue;
        replaced(kvm, page, at);
        dropSpte(kvm, page, at);
        flush = true;
      }
    }
  }
  if (flush) kvm.flushRemoteTlbs(slot.gfn, slot.pages);
  kvm.tdpMmu?.zapCollapsible(slot, largest);
}

/** Track these pages of a slot again (KVM_GET_DIRTY_LOG, KVM_CLEAR_DIRTY_LOG). @param pages relative to the slot, ascending */
export function rearmLogging(kvm: Kvm, slot: Slot, pages: readonly number[]): void {
  const { tdpMmu } = kvm;
  if (kvm.options.dirtyLogInitiallySet) protectHuge(kvm, slot, pages);
  for (const page of pages) {
    const gfn = slot.gfn + page;
    if (kvm.pmlActive) clearDirty(kvm, gfn);
    else protectLeaves(kvm, gfn, 1, false);
    tdpMmu?.rearm(gfn, gfn + 1, !kvm.pmlActive);
  }
  if (pages.length > 0) kvm.flushRemoteTlbs(slot.gfn, slot.pages);
}

/**
 * Pages that were taken as dirty from the beginning still lie under huge leaves: those are divided at once, or at the next write. KVM
 * looks at as many pages together as a word of the log has bits.
 */
function protectHuge(kvm: Kvm, slot: Slot, pages: readonly number[]): void {
  for (let at = 0; at < pages.length;) {
    const word = Math.floor(pages[at] / LOG_WORD);
    const first = slot.gfn + pages[at++];
    while (at < pages.length && Math.floor(pages[at] / LOG_WORD) === word) at++;
    const last = slot.gfn + pages[at - 1];
    splitHugePages(kvm, first, kvm.rules.eagerSplitHasLast ? last + 1 : last);
    for (const gfn of new Set([first, last])) {
      for (let level = 2; level <= 3; level++) protectLeaves(kvm, gfn, level, true);
      kvm.tdpMmu?.protectFrame(gfn, 2);
    }
  }
}

/** D off, or W where D is not used (__rmap_clear_dirty). */
function clearDirty(kvm: Kvm, gfn: number): void {
  const { format, tables } = kvm;
  kvm.trace.journal.dueTo(() => kvm.trace.emit('rmap_clear_dirty', { gfn }));
  for (const at of kvm.rmap.of(gfn, 1)) {
    const lo = tables.low(at);
    const hi = tables.high(at);
    updateSpte(kvm, at, format.adNeedsWriteProtection(hi) ? format.protect(lo, hi, false) : format.clearDirty(lo, hi));
  }
}

/** Largest page of the host behind a frame, as it is now. */
function hostLevel(kvm: Kvm, gfn: number): number {
  const slot = kvm.slotOf(gfn);
  return slot !== null && kvm.guest.host.look(slot.hvaOf(gfn)) ? kvm.guest.host.level : 1;
}
