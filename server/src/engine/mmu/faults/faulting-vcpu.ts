/** What page-fault handlers ask of the vCPU that faulted. */
import type { MmuContext } from '../contexts/mmu-context';
import type { Kvm } from '../pages/kvm';
import type { MmioCache } from './mmio-cache';

export interface FaultingVcpu {
  readonly kvm: Kvm;
  readonly mmio: MmioCache;
  /** It runs by nested tables of its hypervisor: a faulting address is none of the guest's linear ones. */
  readonly nested: boolean;
  /** CR4.SMEP of its guest. */
  readonly smep: boolean;
  /** EFLAGS.AC as it counts for the access. */
  readonly alignmentCheck: boolean;
  /** The last fault was on a page that is a table of its own address (write_fault_to_shadow_pgtable). */
  writeFaultToShadowTable: boolean;
  /** Roots that were zapped or are of an old generation go before the next entry, and the dummy root with them. */
  requestFreeObsoleteRoots(): void;
  /** The guest's walk failed: its fault waits for the next entry. @returns the error code */
  injectWalkFault(mmu: MmuContext, lo: number, hi: number, status: number): number;
}
