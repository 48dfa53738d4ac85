/**
 * What the rest of KVM asks of the TDP MMU (hard/tdp-mmu.ts; tdp_mmu.h): second-stage tables as one radix tree a role, whose
 * pages are neither in the hash nor in reverse maps.
 */
import type { Slot } from '../../memory/slots';
import type { RetPf } from '../../journal/enumerations';
import type { ShadowPage } from './shadow-page';

/** What is to be mapped for a fault. */
export interface TdpMapping {
  readonly gfn: number;
  /** Null: MMIO. */
  readonly slot: Slot | null;
  /** First frame of the leaf. */
  readonly pfn: number;
  /** Level of the leaf. */
  readonly level: number;
  readonly hostWritable: boolean;
  /** The fault was one of a write. */
  readonly write: boolean;
}

export interface TdpTree {
  /** Roots whose tables can be in use. */
  readonly validRoots: readonly ShadowPage[];
  /** The root of a role, shared by all vCPUs (kvm_tdp_mmu_get_vcpu_root_hpa). Null: no frame is left. */
  rootFor(role: number): ShadowPage | null;
  /** A vCPU lets go of a root (kvm_tdp_mmu_put_root). */
  putRoot(root: ShadowPage): void;
  /** Install what serves a fault (kvm_tdp_mmu_map). Null: no frame is left for a table. */
  map(root: ShadowPage, mapping: TdpMapping): RetPf | null;
  /** The entry at which the way of a frame ends, present or not (kvm_tdp_mmu_fast_pf_get_last_sptep). */
  last(root: ShadowPage, gfn: number): { page: ShadowPage; at: number };
  /** Write-protect a frame in all roots, for shadow paging (kvm_tdp_mmu_write_protect_gfn). */
  protectFrame(gfn: number, fromLevel: number): boolean;
  /** Take W from all leaves of a slot, for the dirty log (kvm_tdp_mmu_wrprot_slot). */
  protectSlot(slot: Slot, fromLevel: number): void;
  /** Arm tracking again for 4K pages of [start, end): W or D off (clear_dirty_gfn_range, clear_dirty_pt_masked). */
  rearm(start: number, end: number, byProtection: boolean): void;
  /** Drop the leaves that map [start, end) (kvm_tdp_mmu_unmap_gfn_range). */
  zapRange(start: number, end: number): boolean;
  /** Drop tables of which one huge leaf could do the work (kvm_tdp_mmu_zap_collapsible_sptes). */
  zapCollapsible(slot: Slot, maxLevel: (gfn: number) => number): void;
  /** Divide all huge leaves of [start, end) down to 4K (kvm_tdp_mmu_try_split_huge_pages). */
  splitHuge(start: number, end: number): void;
  /** No vCPU gets these roots any more (kvm_tdp_mmu_invalidate_all_roots). */
  invalidateRoots(): void;
  /** Take down invalid roots (kvm_tdp_mmu_zap_invalidated_roots). */
  zapInvalidRoots(): void;
}
