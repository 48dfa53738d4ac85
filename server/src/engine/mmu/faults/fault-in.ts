/**
 * From the frame that a fault is about to the host page behind it, and to the level at which it can be mapped (§4.5, §4.6;
 * mmu.c: kvm_faultin_pfn, kvm_handle_bad_page, is_page_fault_stale, kvm_mmu_hugepage_adjust).
 */
import { Pfn } from '../../memory/guest-memory';
import type { Slot } from '../../memory/slots';
import type { Root } from '../contexts/roots';
import type { Fault } from './fault';
import type { Kvm } from '../pages/kvm';
import { framesAt } from '../pages/shadow-page';
import { RetPf } from '../../journal/enumerations';

/** KVM_PFN_NOSLOT: what a trace prints as pfn of an MMIO frame. */
const NO_SLOT = { lo: 0, hi: 1 << 31 };

/**
 * Find the page, without the lock ({@link stillHolds}). Without a slot the fault's slot is null, and it is MMIO.
 *
 * @returns continue; retry when its slot is about to go; emulate for writes to a READONLY slot; error
 */
export function faultIn(kvm: Kvm, fault: Fault): RetPf {
  const { guest } = kvm;
  fault.sequence = guest.host.invalidations;
  kvm.onStep('sequence read');
  const { outcome, slot, pfn, mapWritable, hostLevel } = guest.follow(fault.gfn, fault.write);
  fault.slot = slot;
  switch (outcome) {
    case Pfn.mmio:
      fault.slot = null;
      fault.mapWritable = false;
      return RetPf.continue;
    case Pfn.invalid:
      return RetPf.retry;
    case Pfn.readonly:
      return RetPf.emulate;
    case Pfn.fault:
    case Pfn.noMemory:
      fault.errno = outcome === Pfn.fault ? 'EFAULT' : 'ENOMEM';
      return RetPf.error;
    case Pfn.ok:
      fault.pfn = pfn;
      fault.mapWritable = mapWritable;
      fault.hostLevel = hostLevel;
      return RetPf.continue;
  }
}

/** Under the lock, taken here: is the root still one, and the page still what was found? (is_page_fault_stale) */
export function stillHolds(kvm: Kvm, root: Root, fault: Fault): boolean {
  kvm.onStep('lock taken');
  if (root.page !== null && kvm.pages.obsolete(root.page)) return false;
  return fault.slot === null || kvm.guest.host.invalidations === fault.sequence;
}

/** Largest level at which a frame of a slot can be mapped (kvm_mmu_max_mapping_level). */
export function maxMappingLevel(kvm: Kvm, slot: Slot, gfn: number, hostLevel: number): number {
  let level = Math.min(hostLevel, kvm.maxHugeLevel);
  while (level > 1 && !(slot.fits(gfn, level) && kvm.track.largeAllowed(gfn, level))) level--;
  return level;
}

/** Choose the level of the leaf (kvm_mmu_hugepage_adjust). */
export function adjustLevel(kvm: Kvm, fault: Fault): void {
  fault.goalLevel = 1;
  if (fault.maxLevel === 1 || fault.slot === null || fault.slot.dirtyLog !== null) return;
  fault.goalLevel = maxMappingLevel(kvm, fault.slot, fault.gfn, Math.min(fault.hostLevel, fault.maxLevel));
  fault.pfn -= fault.pfn % framesAt(fault.goalLevel);
}

/** The event of a leaf about to be installed. */
export function requested(kvm: Kvm, fault: Fault): void {
  const { gfn, pfn, slot, goalLevel } = fault;
  kvm.trace.emit('kvm_mmu_spte_requested', { gfn, pfn: slot === null ? NO_SLOT : pfn, level: goalLevel });
}
