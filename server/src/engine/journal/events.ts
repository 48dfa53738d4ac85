/**
 * Kinds of journal rows, and numbers in their first words. What the rows of an event hold is in its definition
 * (event-table.ts). Names of KVM's events and fields are those of its tracepoints (mmu-semantics.md §8.1).
 */

/** Who acted. L2 and L1 are guests; L0 is the host's hypervisor; user is the VMM's process. */
export enum Actor {
  processor = 0,
  L0 = 1,
  L1 = 2,
  L2 = 3,
  user = 4,
}

/** Row kinds. `more` carries further slots of the row before it; `change` is a change of state (journal.ts). */
export enum Kind {
  more = 0,
  change = 1,
  // the script
  statement = 2,
  /** What the event of another row began goes on: its changes follow. */
  continued = 3,
  // the processor
  access = 8,
  table_read = 9,
  translated = 10,
  value = 11,
  guest_fault = 12,
  tlb_hit = 13,
  tlb_fill = 14,
  tlb_flush = 15,
  ept_violation = 16,
  ept_misconfig = 17,
  nested_page_fault = 18,
  pml_log = 19,
  stale = 20,
  table_write = 21,
  register_load = 22,
  physical_access = 23,
  // KVM, where it has no tracepoint
  kvm_mmu_page_fault_return = 32,
  kvm_page_track_add = 33,
  kvm_page_track_remove = 34,
  kvm_mmu_pte_write = 35,
  kvm_flush_remote_tlbs = 36,
  kvm_x86_flush_tlb = 61,
  kvm_load_root = 37,
  rmap_write_protect = 38,
  kvm_mmu_free_shadow_page = 39,
  link_shadow_page = 40,
  drop_spte = 41,
  kvm_zap_rmap = 42,
  rmap_clear_dirty = 43,
  mmu_free_root_page = 44,
  clear_sp_write_flooding_count = 45,
  kvm_sync_page = 46,
  kvm_mmu_invlpg = 47,
  mark_page_dirty = 48,
  vmx_flush_pml_buffer = 49,
  nested_vmx_write_pml_buffer = 60,
  vmx_update_cpu_dirty_logging = 50,
  kvm_mmu_change_mmu_pages = 51,
  kvm_set_memslot = 52,
  kvm_get_dirty_log = 53,
  control_write = 54,
  kvm_create_vm = 58,
  kvm_vcpu_reset = 55,
  tdp_mmu_zap_spte_atomic = 59,
  // the host's kernel and the VMM
  host_mm = 56,
  vmm_write = 57,
  // KVM's tracepoints
  kvm_entry = 64,
  kvm_exit = 65,
  kvm_page_fault = 66,
  kvm_inj_exception = 67,
  kvm_cr = 68,
  kvm_msr = 69,
  kvm_mmu_pagetable_walk = 70,
  kvm_mmu_paging_element = 71,
  kvm_mmu_set_accessed_bit = 72,
  kvm_mmu_set_dirty_bit = 73,
  kvm_mmu_walker_error = 74,
  kvm_mmu_get_page = 75,
  kvm_mmu_sync_page = 76,
  kvm_mmu_unsync_page = 77,
  kvm_mmu_prepare_zap_page = 78,
  kvm_mmu_spte_requested = 79,
  kvm_mmu_set_spte = 80,
  kvm_tdp_mmu_spte_changed = 81,
  mark_mmio_spte = 82,
  check_mmio_spte = 83,
  handle_mmio_page_fault = 84,
  fast_page_fault = 85,
  kvm_mmu_zap_all_fast = 86,
  kvm_mmu_split_huge_page = 87,
  kvm_emulate_insn = 88,
  vcpu_match_mmio = 89,
  kvm_mmio = 90,
  kvm_userspace_exit = 91,
  kvm_pml_full = 92,
  kvm_unmap_hva_range = 93,
  kvm_nested_vmenter = 94,
  kvm_nested_vmexit = 95,
  kvm_nested_vmexit_inject = 96,
  kvm_set_spte_hva = 97,
  kvm_nested_vmenter_failed = 98,
  kvm_nested_intercepts = 99,
}

/** Fields of kind `access`. Low bits: what; high bits: as whom. */
export const ACCESS_READ = 0;
export const ACCESS_WRITE = 1;
export const ACCESS_FETCH = 2;
export const ACCESS_WHAT = 3;
export const ACCESS_USER = 4;
export const ACCESS_IMPLICIT = 8;

/** Fields of kind `stage`: which tables an entry was read from. */
export const STAGE_GUEST = 1;
/** EPT or NPT; in software walks those that an L1 keeps for its guest. */
export const STAGE_SECOND = 2;
/** Shadow tables, as the processor reads them. */
export const STAGE_SHADOW = 3;
