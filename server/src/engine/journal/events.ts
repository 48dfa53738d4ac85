/**
 * What a journal row can say. One table: the writers take the kind, every reader (panel, text, ftrace, expectations)
 * takes names and widths from here, so that no view knows a row's layout.
 *
 * A row has a kind, an actor, a paging level, a 16-bit `small` field and two 64-bit slots. An event with more than two
 * slots goes on in `more` rows. Names of KVM's events and fields are those of its tracepoints (mmu-semantics.md §8.1).
 */

/** Who acted. L2 and L1 are guests; L0 is the host's hypervisor; user is the VMM's process. */
export enum Actor {
  processor = 0,
  L0 = 1,
  L1 = 2,
  L2 = 3,
  user = 4,
}

/** How a slot's 64 bits are meant to be read. */
export type SlotKind =
  | 'gva'
  | 'gpa'
  | 'hva'
  | 'hpa'
  | 'gfn'
  | 'pfn'
  | 'entry' // a paging-structure entry
  | 'word' // any 64-bit value
  | 'count'
  | 'errorCode' // #PF error code
  | 'info'; // exit information, meaning depends on the exit reason

export interface SlotSpec {
  readonly name: string;
  readonly as: SlotKind;
}

export interface EventSpec {
  readonly name: string;
  /** One of KVM's tracepoints, printed by the ftrace export; others are the simulator's own. */
  readonly tracepoint: boolean;
  /** Name of the 16-bit field, when there is one. */
  readonly small?: string;
  /** 64-bit fields in order, two a row. */
  readonly slots: readonly SlotSpec[];
  /** One line for people. */
  readonly about: string;
}

/** Row kinds. `more` carries further slots of the row before it; `change` is a change of state (journal.ts). */
export enum Kind {
  more = 0,
  change = 1,
  // the script
  statement = 2,
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
  // KVM, where it has no tracepoint
  kvm_mmu_page_fault_return = 32,
  kvm_page_track_add = 33,
  kvm_page_track_remove = 34,
  kvm_mmu_pte_write = 35,
  kvm_flush_remote_tlbs = 36,
  kvm_load_root = 37,
  rmap_write_protect = 38,
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
}

const slot = (name: string, as: SlotKind): SlotSpec => ({ name, as });

/**
 * The table. Kinds without an entry (`more`, `change`) are not events.
 * Owners of new events add the kind above and its row here, and nowhere else.
 */
export const EVENTS: { readonly [kind: number]: EventSpec } = {
  [Kind.statement]: {
    name: 'statement',
    tracepoint: false,
    slots: [slot('statement', 'count'), slot('act', 'count')],
    about: 'a statement of the script begins',
  },
  [Kind.access]: {
    name: 'access',
    tracepoint: false,
    small: 'access',
    slots: [slot('address', 'gva'), slot('size', 'count')],
    about: 'a guest access begins',
  },
  [Kind.table_read]: {
    name: 'table_read',
    tracepoint: false,
    small: 'stage',
    slots: [slot('address', 'gpa'), slot('entry', 'entry')],
    about: 'the processor read a paging-structure entry',
  },
  [Kind.translated]: {
    name: 'translated',
    tracepoint: false,
    slots: [slot('address', 'gva'), slot('hpa', 'hpa')],
    about: 'the access reached host-physical memory',
  },
  [Kind.value]: {
    name: 'value',
    tracepoint: false,
    small: 'access',
    slots: [slot('hpa', 'hpa'), slot('value', 'word')],
    about: 'data read or written',
  },
  [Kind.guest_fault]: {
    name: 'guest_fault',
    tracepoint: false,
    small: 'vector',
    slots: [slot('address', 'gva'), slot('error', 'errorCode')],
    about: 'a fault is delivered to the guest',
  },
  [Kind.tlb_hit]: {
    name: 'tlb_hit',
    tracepoint: false,
    small: 'structure',
    slots: [slot('address', 'gva'), slot('hpa', 'hpa')],
    about: 'a cached translation was used',
  },
  [Kind.tlb_fill]: {
    name: 'tlb_fill',
    tracepoint: false,
    small: 'structure',
    slots: [slot('address', 'gva'), slot('hpa', 'hpa')],
    about: 'a translation was cached; level 1, 2, 3: of a page of 4K, 2M, 1G',
  },
  [Kind.tlb_flush]: {
    name: 'tlb_flush',
    tracepoint: false,
    small: 'scope',
    slots: [slot('address', 'gva'), slot('tag', 'count')],
    about: 'cached translations were invalidated',
  },
  [Kind.ept_violation]: {
    name: 'ept_violation',
    tracepoint: false,
    slots: [slot('gpa', 'gpa'), slot('qualification', 'info')],
    about: 'EPT denies the access',
  },
  [Kind.ept_misconfig]: {
    name: 'ept_misconfig',
    tracepoint: false,
    slots: [slot('gpa', 'gpa'), slot('entry', 'entry')],
    about: 'a malformed EPT entry was met',
  },
  [Kind.nested_page_fault]: {
    name: 'nested_page_fault',
    tracepoint: false,
    slots: [slot('gpa', 'gpa'), slot('exitinfo1', 'info')],
    about: 'the nested tables deny the access',
  },
  [Kind.pml_log]: {
    name: 'pml_log',
    tracepoint: false,
    slots: [slot('gpa', 'gpa'), slot('index', 'count')],
    about: 'the processor logged a page in the PML buffer',
  },
  [Kind.stale]: {
    name: 'stale',
    tracepoint: false,
    slots: [slot('address', 'gva'), slot('entry', 'entry')],
    about: 'the translation used differs from the entry in memory',
  },

  [Kind.kvm_mmu_page_fault_return]: {
    name: 'kvm_mmu_page_fault_return',
    tracepoint: false,
    small: 'result',
    slots: [slot('address', 'gva'), slot('error_code', 'info')],
    about: 'the page-fault handler returns; result is RET_PF_*',
  },
  [Kind.kvm_page_track_add]: {
    name: 'kvm_page_track_add',
    tracepoint: false,
    slots: [slot('gfn', 'gfn'), slot('count', 'count')],
    about: 'writes to a guest page are tracked: it is a table of level 2 or above',
  },
  [Kind.kvm_page_track_remove]: {
    name: 'kvm_page_track_remove',
    tracepoint: false,
    slots: [slot('gfn', 'gfn'), slot('count', 'count')],
    about: 'a guest page is taken off write tracking',
  },
  [Kind.kvm_mmu_pte_write]: {
    name: 'kvm_mmu_pte_write',
    tracepoint: false,
    small: 'bytes',
    slots: [slot('gpa', 'gpa'), slot('new', 'word')],
    about: 'an emulated store reached guest memory',
  },
  [Kind.kvm_flush_remote_tlbs]: {
    name: 'kvm_flush_remote_tlbs',
    tracepoint: false,
    slots: [slot('gfn', 'gfn'), slot('pages', 'count')],
    about: 'translations of all vCPUs are flushed',
  },
  [Kind.kvm_load_root]: {
    name: 'kvm_load_root',
    tracepoint: false,
    slots: [slot('root', 'hpa'), slot('pgd', 'gpa')],
    about: 'a vCPU gets another root of shadow tables or TDP',
  },
  [Kind.rmap_write_protect]: {
    name: 'rmap_write_protect',
    tracepoint: false,
    slots: [slot('gfn', 'gfn'), slot('shadow', 'count')],
    about: 'the leaf sptes that map a guest page lose W; shadow 1: for shadow paging, MMU-W goes too, 0: for the dirty log',
  },

  [Kind.kvm_entry]: {
    name: 'kvm_entry',
    tracepoint: true,
    small: 'vcpu',
    slots: [slot('rip', 'gva'), slot('intr_info_error_code', 'word'), slot('guest_mode', 'count')],
    about: "VM entry; guest_mode 1: of a guest's guest",
  },
  [Kind.kvm_exit]: {
    name: 'kvm_exit',
    tracepoint: true,
    small: 'reason',
    slots: [
      slot('info1', 'info'),
      slot('info2', 'info'),
      slot('intr_info_error_code', 'word'),
      slot('rip', 'gva'),
      slot('vcpu', 'count'),
      slot('guest_mode', 'count'),
    ],
    about: 'VM exit',
  },
  [Kind.kvm_page_fault]: {
    name: 'kvm_page_fault',
    tracepoint: true,
    small: 'vcpu',
    slots: [slot('address', 'gva'), slot('error_code', 'info')],
    about: 'KVM starts to handle a page fault',
  },
  [Kind.kvm_inj_exception]: {
    name: 'kvm_inj_exception',
    tracepoint: true,
    small: 'vector',
    slots: [slot('error_code', 'errorCode'), slot('cr2', 'gva')],
    about: 'KVM injects an exception',
  },
  [Kind.kvm_cr]: {
    name: 'kvm_cr',
    tracepoint: true,
    small: 'cr',
    slots: [slot('value', 'word'), slot('write', 'count')],
    about: 'trapped control-register access',
  },
  [Kind.kvm_msr]: { name: 'kvm_msr', tracepoint: true, slots: [slot('msr', 'count'), slot('value', 'word')], about: 'trapped MSR access' },
  [Kind.kvm_mmu_pagetable_walk]: {
    name: 'kvm_mmu_pagetable_walk',
    tracepoint: true,
    slots: [slot('addr', 'gva'), slot('pferr', 'errorCode'), slot('stage', 'count')],
    about: 'a software walk of guest tables begins',
  },
  [Kind.kvm_mmu_paging_element]: {
    name: 'kvm_mmu_paging_element',
    tracepoint: true,
    slots: [slot('pte', 'entry'), slot('gpa', 'gpa'), slot('stage', 'count')],
    about: 'the software walk read an entry',
  },
  [Kind.kvm_mmu_set_accessed_bit]: {
    name: 'kvm_mmu_set_accessed_bit',
    tracepoint: true,
    slots: [slot('gpa', 'gpa')],
    about: 'KVM sets A in a guest entry',
  },
  [Kind.kvm_mmu_set_dirty_bit]: {
    name: 'kvm_mmu_set_dirty_bit',
    tracepoint: true,
    slots: [slot('gpa', 'gpa')],
    about: 'KVM sets D in a guest entry',
  },
  [Kind.kvm_mmu_walker_error]: {
    name: 'kvm_mmu_walker_error',
    tracepoint: true,
    slots: [slot('pferr', 'errorCode'), slot('stage', 'count')],
    about: 'the software walk failed',
  },
  [Kind.kvm_mmu_get_page]: {
    name: 'kvm_mmu_get_page',
    tracepoint: true,
    small: 'created',
    slots: [slot('gfn', 'gfn'), slot('role', 'word'), slot('spt', 'hpa'), slot('state', 'word')],
    about: 'a shadow page was made or found',
  },
  [Kind.kvm_mmu_sync_page]: {
    name: 'kvm_mmu_sync_page',
    tracepoint: true,
    slots: [slot('gfn', 'gfn'), slot('role', 'word'), slot('spt', 'hpa'), slot('state', 'word')],
    about: 'an unsync shadow page is synchronized',
  },
  [Kind.kvm_mmu_unsync_page]: {
    name: 'kvm_mmu_unsync_page',
    tracepoint: true,
    slots: [slot('gfn', 'gfn'), slot('role', 'word'), slot('spt', 'hpa'), slot('state', 'word')],
    about: 'a shadow page may go out of sync',
  },
  [Kind.kvm_mmu_prepare_zap_page]: {
    name: 'kvm_mmu_prepare_zap_page',
    tracepoint: true,
    slots: [slot('gfn', 'gfn'), slot('role', 'word'), slot('spt', 'hpa'), slot('state', 'word')],
    about: 'a shadow page is zapped',
  },
  [Kind.kvm_mmu_spte_requested]: {
    name: 'kvm_mmu_spte_requested',
    tracepoint: true,
    slots: [slot('gfn', 'gfn'), slot('pfn', 'pfn')],
    about: 'a leaf spte is about to be installed',
  },
  [Kind.kvm_mmu_set_spte]: {
    name: 'kvm_mmu_set_spte',
    tracepoint: true,
    slots: [slot('gfn', 'gfn'), slot('spte', 'entry'), slot('at', 'hpa')],
    about: 'a leaf spte was installed',
  },
  [Kind.kvm_tdp_mmu_spte_changed]: {
    name: 'kvm_tdp_mmu_spte_changed',
    tracepoint: true,
    slots: [slot('gfn', 'gfn'), slot('old_spte', 'entry'), slot('new_spte', 'entry')],
    about: 'an entry of the TDP MMU changed',
  },
  [Kind.mark_mmio_spte]: {
    name: 'mark_mmio_spte',
    tracepoint: true,
    small: 'access',
    slots: [slot('gfn', 'gfn'), slot('spte', 'entry'), slot('gen', 'count'), slot('sptep', 'hpa')],
    about: 'an MMIO spte was installed',
  },
  [Kind.check_mmio_spte]: {
    name: 'check_mmio_spte',
    tracepoint: true,
    small: 'valid',
    slots: [slot('spte', 'entry'), slot('kvm_gen', 'count'), slot('spte_gen', 'count')],
    about: 'an MMIO spte was examined',
  },
  [Kind.handle_mmio_page_fault]: {
    name: 'handle_mmio_page_fault',
    tracepoint: true,
    small: 'access',
    slots: [slot('addr', 'gva'), slot('gfn', 'gfn')],
    about: 'a valid MMIO spte was used',
  },
  [Kind.fast_page_fault]: {
    name: 'fast_page_fault',
    tracepoint: true,
    small: 'result',
    slots: [slot('address', 'gpa'), slot('error_code', 'info'), slot('old', 'entry'), slot('new', 'entry'), slot('sptep', 'hpa')],
    about: 'the lock-less path was tried; result bit 0 spurious, bit 1 fixed',
  },
  [Kind.kvm_mmu_zap_all_fast]: {
    name: 'kvm_mmu_zap_all_fast',
    tracepoint: true,
    slots: [slot('valid_gen', 'count'), slot('used_pages', 'count')],
    about: 'all shadow pages become obsolete',
  },
  [Kind.kvm_mmu_split_huge_page]: {
    name: 'kvm_mmu_split_huge_page',
    tracepoint: true,
    slots: [slot('gfn', 'gfn'), slot('spte', 'entry')],
    about: 'a huge spte was split',
  },
  [Kind.kvm_emulate_insn]: {
    name: 'kvm_emulate_insn',
    tracepoint: true,
    small: 'failed',
    slots: [slot('rip', 'gva'), slot('bytes', 'word')],
    about: 'KVM emulates the instruction; failed bit 0: it cannot, bits 15:1: number of its bytes',
  },
  [Kind.vcpu_match_mmio]: {
    name: 'vcpu_match_mmio',
    tracepoint: true,
    small: 'write',
    slots: [slot('gva', 'gva'), slot('gpa', 'gpa')],
    about: 'the MMIO cache of the vCPU matched',
  },
  [Kind.kvm_mmio]: {
    name: 'kvm_mmio',
    tracepoint: true,
    small: 'type',
    slots: [slot('gpa', 'gpa'), slot('val', 'word'), slot('len', 'count')],
    about: 'MMIO access; type 0 unsatisfied-read, 1 read, 2 write',
  },
  [Kind.kvm_userspace_exit]: {
    name: 'kvm_userspace_exit',
    tracepoint: true,
    small: 'reason',
    slots: [slot('gpa', 'gpa'), slot('errno', 'count')],
    about: 'KVM_RUN returns to the VMM',
  },
  [Kind.kvm_pml_full]: { name: 'kvm_pml_full', tracepoint: true, small: 'vcpu', slots: [], about: 'the PML buffer is full' },
  [Kind.kvm_unmap_hva_range]: {
    name: 'kvm_unmap_hva_range',
    tracepoint: true,
    slots: [slot('start', 'hva'), slot('end', 'hva')],
    about: 'the MMU notifier unmaps a range',
  },
  [Kind.kvm_nested_vmenter]: {
    name: 'kvm_nested_vmenter',
    tracepoint: true,
    small: 'nested_tdp',
    slots: [slot('rip', 'gva'), slot('vmcs', 'gpa'), slot('nested_rip', 'gva'), slot('event_inj', 'word'), slot('nested_root', 'gpa')],
    about: 'L1 enters L2',
  },
  [Kind.kvm_nested_vmexit]: {
    name: 'kvm_nested_vmexit',
    tracepoint: true,
    small: 'reason',
    slots: [
      slot('info1', 'info'),
      slot('info2', 'info'),
      slot('intr_info_error_code', 'word'),
      slot('rip', 'gva'),
      slot('vcpu', 'count'),
      slot('guest_mode', 'count'),
    ],
    about: 'VM exit from L2',
  },
  [Kind.kvm_nested_vmexit_inject]: {
    name: 'kvm_nested_vmexit_inject',
    tracepoint: true,
    small: 'reason',
    slots: [slot('info1', 'info'), slot('info2', 'info'), slot('intr_info_error_code', 'word')],
    about: 'the exit is handed to L1',
  },
};

/** `access` in the small field of {@link Kind.access} and {@link Kind.value}. Low bits: what; high bits: as whom. */
export const ACCESS_READ = 0;
export const ACCESS_WRITE = 1;
export const ACCESS_FETCH = 2;
export const ACCESS_WHAT = 3;
export const ACCESS_USER = 4;
export const ACCESS_IMPLICIT = 8;

/** `stage` of {@link Kind.table_read}, and of software walks (of which only those of L1's tables for its guest say it: second). */
export const STAGE_GUEST = 1;
export const STAGE_SECOND = 2;
/** Software reads by a hypervisor are paging_element events; a hardware read of a shadow table is this stage. */
export const STAGE_SHADOW = 3;
