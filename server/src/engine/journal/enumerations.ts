/**
 * Numbers that stand for something in a field of an event, with their names: those that expectations and views use, and what
 * they mean. Exit reasons are facts of the architecture (x86/exit-reasons.ts).
 */
import { STAGE_GUEST, STAGE_SECOND, STAGE_SHADOW } from './events';

/** Name and meaning of one number. */
export interface Meaning {
  readonly name: string;
  readonly about: string;
}

type Meanings<V extends number> = { readonly [value in V]: Meaning };

/** What the page-fault handler returns (mmu_internal.h: RET_PF_*), with the numbers of 6.1. */
export enum RetPf {
  continue = 0,
  retry = 1,
  emulate = 2,
  invalid = 3,
  fixed = 4,
  spurious = 5,
  /** A negative errno: KVM_RUN fails. */
  error = 6,
  /** 6.1 has no name for it: it returns {@link emulate}. */
  writeProtected = 7,
}

export const RET_PF: Meanings<RetPf> = {
  [RetPf.continue]: { name: 'CONTINUE', about: 'RET_PF_CONTINUE' },
  [RetPf.retry]: { name: 'RETRY', about: 'RET_PF_RETRY: the guest tries again, or takes its fault.' },
  [RetPf.emulate]: { name: 'EMULATE', about: 'RET_PF_EMULATE: the instruction is emulated.' },
  [RetPf.invalid]: { name: 'INVALID', about: 'RET_PF_INVALID: the fast path leaves it to the slow one.' },
  [RetPf.fixed]: { name: 'FIXED', about: 'RET_PF_FIXED: the spte is there now.' },
  [RetPf.spurious]: { name: 'SPURIOUS', about: 'RET_PF_SPURIOUS: the spte was there already.' },
  [RetPf.error]: { name: 'ERROR', about: 'A negative errno: KVM_RUN fails.' },
  [RetPf.writeProtected]: {
    name: 'WRITE_PROTECTED',
    about: 'RET_PF_WRITE_PROTECTED (6.12): a shadowed guest table was to be written; its shadow goes, or the instruction is emulated.',
  },
};

/** type of kvm_mmio (include/trace/events/kvm.h: KVM_TRACE_MMIO_*). */
export enum MmioType {
  unsatisfiedRead = 0,
  read = 1,
  write = 2,
}

export const MMIO_TYPE: Meanings<MmioType> = {
  [MmioType.unsatisfiedRead]: { name: 'unsatisfied-read', about: 'A read that the VMM has to answer.' },
  [MmioType.read]: { name: 'read', about: 'A read, with what the VMM answered.' },
  [MmioType.write]: { name: 'write', about: 'A write.' },
};

/** reason of kvm_userspace_exit (include/uapi/linux/kvm.h: KVM_EXIT_*). */
export enum UserExit {
  unknown = 0,
  mmio = 6,
  shutdown = 8,
  internalError = 17,
}

export const USER_EXIT: Meanings<UserExit> = {
  [UserExit.unknown]: { name: 'KVM_EXIT_UNKNOWN', about: 'No reason is given: KVM_RUN fails.' },
  [UserExit.mmio]: { name: 'KVM_EXIT_MMIO', about: 'The VMM has to do an access to memory that no slot has.' },
  [UserExit.shutdown]: { name: 'KVM_EXIT_SHUTDOWN', about: 'A triple fault.' },
  [UserExit.internalError]: { name: 'KVM_EXIT_INTERNAL_ERROR', about: 'KVM cannot emulate the instruction.' },
};

/** Which cache a translation is in. */
export enum Structure {
  l1 = 1,
  l2 = 2,
  guestPhysical = 3,
  /** Paging-structure cache of the first stage, and of the second. */
  pagingStructure = 4,
  secondStructure = 5,
}

export const STRUCTURE: Meanings<Structure> = {
  [Structure.l1]: { name: 'L1', about: 'The first-level TLB.' },
  [Structure.l2]: { name: 'L2', about: 'The second-level TLB.' },
  [Structure.guestPhysical]: { name: 'guest-physical', about: 'Guest-physical mappings.' },
  [Structure.pagingStructure]: { name: 'paging-structure cache', about: 'Entries of upper levels.' },
  [Structure.secondStructure]: { name: 'second-stage structure cache', about: 'Entries of upper levels of EPT or NPT.' },
};

/** What an invalidation removes; `tag` of its event says of whom. */
export enum FlushScope {
  /** A page of one PCID; its global pages under any PCID as well (INVLPG), or not (INVPCID 0). Tag: PCID. */
  page = 1,
  /** Non-global pages of a PCID. Tag: PCID. */
  nonGlobal = 2,
  /** All pages of a PCID. Tag: PCID. */
  pcid = 3,
  /** Non-global pages of every PCID. Tag: VPID or ASID. */
  allNonGlobal = 4,
  /** Every PCID, global pages included, of a VPID or ASID. Tag: VPID or ASID. */
  all = 5,
  /** Every VPID. */
  allVpids = 6,
  /** Guest-physical and combined mappings of one EP4TA. Tag: frame number of the root. */
  eptContext = 7,
  /** Guest-physical and combined mappings of every EP4TA. */
  eptGlobal = 8,
}

export const FLUSH_SCOPE: Meanings<FlushScope> = {
  [FlushScope.page]: { name: 'one page', about: 'A page of one PCID, its global pages with INVLPG; the tag is the PCID.' },
  [FlushScope.nonGlobal]: { name: 'non-global pages', about: 'Non-global pages of a PCID, which is the tag.' },
  [FlushScope.pcid]: { name: 'all pages of the PCID', about: 'All pages of a PCID, which is the tag.' },
  [FlushScope.allNonGlobal]: { name: 'non-global pages of every PCID', about: 'Those of a VPID or ASID, which is the tag.' },
  [FlushScope.all]: { name: 'everything', about: 'Every PCID, global pages included, of a VPID or ASID, which is the tag.' },
  [FlushScope.allVpids]: { name: 'everything, of every VPID', about: 'All linear and combined mappings.' },
  [FlushScope.eptContext]: { name: 'one EPT context', about: 'Of one root, whose frame number is the tag.' },
  [FlushScope.eptGlobal]: { name: 'every EPT context', about: 'Of all roots.' },
};

/** What a hypervisor flushes of a vCPU's translations (asm/kvm-x86-ops.h: flush_tlb_*). */
export enum LocalFlush {
  all = 0,
  current = 1,
  guest = 2,
  gva = 3,
}

export const LOCAL_FLUSH: Meanings<LocalFlush> = {
  [LocalFlush.all]: { name: 'all', about: 'Everything of the vCPU, whatever its root: after a remote flush.' },
  [LocalFlush.current]: { name: 'current', about: 'What belongs to the root that is in use.' },
  [LocalFlush.guest]: { name: 'guest', about: 'What the guest has asked to be flushed: its linear addresses.' },
  [LocalFlush.gva]: { name: 'gva', about: 'One linear address.' },
};

/** What the kernel does to the mappings of a VMM. */
export enum HostMm {
  map = 1,
  fault = 2,
  reclaim = 3,
  protect = 4,
  split = 5,
  collapse = 6,
}

export const HOST_MM: Meanings<HostMm> = {
  [HostMm.map]: { name: 'mmap', about: 'The VMM maps memory.' },
  [HostMm.fault]: { name: 'page-fault', about: 'A page is touched, by KVM for the guest or by the VMM: made, or copied.' },
  [HostMm.reclaim]: { name: 'MADV_DONTNEED', about: 'Pages go with their contents.' },
  [HostMm.protect]: { name: 'mprotect', about: 'Writes are allowed or forbidden.' },
  [HostMm.split]: { name: 'split', about: 'Huge pages are divided.' },
  [HostMm.collapse]: { name: 'collapse', about: 'Small pages become a huge one (khugepaged).' },
};

/** What becomes of a memory slot (kvm_main.c: enum kvm_mr_change, kvm_invalidate_memslot). */
export enum MemslotChange {
  create = 0,
  delete = 1,
  move = 2,
  flags = 3,
  invalidate = 4,
}

export const MEMSLOT_CHANGE: Meanings<MemslotChange> = {
  [MemslotChange.create]: { name: 'KVM_MR_CREATE', about: 'It is created.' },
  [MemslotChange.delete]: { name: 'KVM_MR_DELETE', about: 'It is deleted.' },
  [MemslotChange.move]: { name: 'KVM_MR_MOVE', about: 'It is moved.' },
  [MemslotChange.flags]: { name: 'KVM_MR_FLAGS_ONLY', about: 'Its flags change.' },
  [MemslotChange.invalidate]: { name: 'KVM_MEMSLOT_INVALID', about: 'It is about to go: nothing may use it any more.' },
};

/** STAGE_* */
export const STAGE: Meanings<typeof STAGE_GUEST | typeof STAGE_SECOND | typeof STAGE_SHADOW> = {
  [STAGE_GUEST]: { name: 'guest', about: "An entry of the guest's tables." },
  [STAGE_SECOND]: { name: 'second', about: 'An entry of EPT or NPT.' },
  [STAGE_SHADOW]: { name: 'shadow', about: 'An entry of the shadow tables.' },
};

/** `created` of kvm_mmu_get_page. */
export const CREATED: Meanings<0 | 1> = {
  0: { name: 'existing', about: 'The shadow page was found in the hash.' },
  1: { name: 'new', about: 'The shadow page was made.' },
};

/** Exceptions that guests get here, as KVM's kvm_inj_exception names them. */
export const VECTOR: Meanings<13 | 14> = {
  13: { name: '#GP', about: 'General protection.' },
  14: { name: '#PF', about: 'Page fault.' },
};

/** Checks of KVM that refuse an entry into a guest's guest (vmx/nested.c, svm/nested.c: CC). */
export enum EntryCheck {
  launchState = 1,
  pinControls,
  primaryControls,
  secondaryControls,
  pmlWithoutEpt,
  pmlAddress,
  unrestrictedGuest,
  vpid,
  eptpMemoryType,
  eptpLevels,
  eptpReserved,
  eptpAd,
  eptp,
  exitControls,
  entryControls,
  addressSpaceSize,
  cr0,
  cr4,
  linkPointerPage,
  linkPointerMemory,
  linkPointerRevision,
  pagingWithoutProtection,
  ia32eWithoutPae,
  ia32eWithoutPaging,
  efer,
  eferLma,
  eferLme,
  // svm/nested.c
  asid,
  nestedPaging,
  ncr3,
  svme,
  cacheDisable,
  cr0High,
  longModeWithoutPae,
  longModeWithoutProtection,
  longModeCr3,
  svmCr4,
  svmEfer,
}

export const ENTRY_CHECK: Meanings<EntryCheck> = {
  [EntryCheck.launchState]: { name: 'launch_state', about: 'VMLAUNCH is for a VMCS that is clear, VMRESUME for one that is launched.' },
  [EntryCheck.pinControls]: { name: 'pin_controls', about: 'Pin-based controls that the processor does not have, or must be 1.' },
  [EntryCheck.primaryControls]: {
    name: 'primary_controls',
    about: 'Primary processor-based controls that the processor does not have, or must be 1.',
  },
  [EntryCheck.secondaryControls]: {
    name: 'secondary_controls',
    about: 'Secondary processor-based controls that the processor does not have.',
  },
  [EntryCheck.pmlWithoutEpt]: { name: 'pml_without_ept', about: 'Page-modification logging needs EPT.' },
  [EntryCheck.pmlAddress]: { name: 'pml_address', about: 'The PML address is no address of a page.' },
  [EntryCheck.unrestrictedGuest]: { name: 'unrestricted_guest', about: 'Unrestricted guest needs EPT.' },
  [EntryCheck.vpid]: { name: 'vpid', about: 'VPIDs are enabled and the VPID is 0.' },
  [EntryCheck.eptpMemoryType]: {
    name: 'eptp_memory_type',
    about: 'The memory type of the EPTP is not write-back, and KVM offers no other.',
  },
  [EntryCheck.eptpLevels]: { name: 'eptp_levels', about: 'The walk length of the EPTP is not supported.' },
  [EntryCheck.eptpReserved]: { name: 'eptp_reserved', about: 'The EPTP has reserved bits, or its address is above MAXPHYADDR.' },
  [EntryCheck.eptpAd]: { name: 'eptp_ad', about: 'The EPTP enables accessed and dirty flags, which the processor does not have.' },
  [EntryCheck.eptp]: { name: 'eptp', about: 'The EPTP is not valid.' },
  [EntryCheck.exitControls]: { name: 'exit_controls', about: 'VM-exit controls that the processor does not have, or must be 1.' },
  [EntryCheck.entryControls]: { name: 'entry_controls', about: 'VM-entry controls that the processor does not have, or must be 1.' },
  [EntryCheck.addressSpaceSize]: { name: 'address_space_size', about: 'The host address-space size is not that of the hypervisor.' },
  [EntryCheck.cr0]: {
    name: 'cr0',
    about: 'Guest CR0 lacks bits that VMX operation fixes to 1: PE and PG (but for an unrestricted guest), NE.',
  },
  [EntryCheck.cr4]: { name: 'cr4', about: 'Guest CR4 lacks VMXE, or has bits that the processor does not have.' },
  [EntryCheck.linkPointerPage]: { name: 'link_pointer_page', about: 'The VMCS link pointer is no address of a page.' },
  [EntryCheck.linkPointerMemory]: { name: 'link_pointer_memory', about: 'There is no memory at the VMCS link pointer.' },
  [EntryCheck.linkPointerRevision]: { name: 'link_pointer_revision', about: 'There is no VMCS at the VMCS link pointer.' },
  [EntryCheck.pagingWithoutProtection]: { name: 'paging_without_protection', about: 'Guest CR0 has PG without PE.' },
  [EntryCheck.ia32eWithoutPae]: { name: 'ia32e_without_pae', about: 'IA-32e mode needs CR4.PAE.' },
  [EntryCheck.ia32eWithoutPaging]: { name: 'ia32e_without_paging', about: 'IA-32e mode needs CR0.PG.' },
  [EntryCheck.efer]: { name: 'efer', about: 'Guest EFER has bits that the processor does not have.' },
  [EntryCheck.eferLma]: { name: 'efer_lma', about: 'EFER.LMA is not what the control for IA-32e mode says.' },
  [EntryCheck.eferLme]: { name: 'efer_lme', about: 'EFER.LME is not what the control for IA-32e mode says.' },
  [EntryCheck.asid]: { name: 'asid', about: "ASID 0 is the hypervisor's." },
  [EntryCheck.nestedPaging]: { name: 'nested_paging', about: 'KVM offers nested paging only when it uses it itself.' },
  [EntryCheck.ncr3]: { name: 'ncr3', about: 'nCR3 is above MAXPHYADDR.' },
  [EntryCheck.svme]: { name: 'svme', about: 'EFER.SVME is 0 in the VMCB.' },
  [EntryCheck.cacheDisable]: { name: 'cache_disable', about: 'CR0.NW is 1 and CR0.CD is 0.' },
  [EntryCheck.cr0High]: { name: 'cr0_high', about: 'CR0 has bits above 31.' },
  [EntryCheck.longModeWithoutPae]: { name: 'long_mode_without_pae', about: 'Long mode needs CR4.PAE.' },
  [EntryCheck.longModeWithoutProtection]: { name: 'long_mode_without_protection', about: 'Long mode needs CR0.PE.' },
  [EntryCheck.longModeCr3]: { name: 'long_mode_cr3', about: 'CR3 is above MAXPHYADDR.' },
  [EntryCheck.svmCr4]: { name: 'svm_cr4', about: 'CR4 has bits that the processor does not have.' },
  [EntryCheck.svmEfer]: { name: 'svm_efer', about: 'EFER has bits that the processor does not have.' },
};
