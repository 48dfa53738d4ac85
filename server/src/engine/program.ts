/**
 * The program: plain data that the language (or an importer) hands to the engine. No syntax, no names to resolve,
 * structured-cloneable. One program is one `run` of a script under one kind of MMU virtualization.
 *
 * Guest-physical, host-physical and host-virtual addresses are numbers below 2^53; linear addresses and entries are
 * bigint (64 bits, unsigned). Sizes are bytes.
 */

export type MmuKind = 'soft' | 'ept' | 'npt';
export type PagingMode = 'none' | '32-bit' | 'pae' | '4-level' | '5-level';

export interface Program {
  /** For people: the run's name and kind, as `guest under ept`. */
  readonly name: string;
  readonly machine: MachineConfig;
  readonly acts: readonly Act[];
  /** What names of the script stood for when each act came of it; left out when none had any. The engine takes no notice. */
  readonly bound?: readonly (Bound | null)[];
  readonly budget: Budget;
}

/**
 * What a name of the script stands for, innermost first: a loop's variable or a block's parameter by the offset of its definition, a number or
 * the name of tables; or that a block was called there, whose statements do not see the names outside.
 */
export type Bound =
  | { readonly definition: number; readonly value: bigint | string | null; readonly outer: Bound | null; readonly call?: undefined }
  /** Origin of the statement that calls. */
  | { readonly call: number; readonly outer: Bound | null };

export interface Budget {
  /** Acts executed, each repetition of a strided access counted. */
  readonly steps: number;
  /** Journal rows. */
  readonly events: number;
  /** Bytes of simulated physical memory that may be touched. */
  readonly memory: number;
}

export interface MachineConfig {
  readonly host: HostConfig;
  /** Parents before children; `vms[i].parent` is an index below i, or null for L1. */
  readonly vms: readonly VmConfig[];
}

export interface HostConfig {
  /** Whose processor: VMX with EPT, or SVM with NPT. Decides exits' names and numbers, also under soft MMU. */
  readonly vendor: 'intel' | 'amd';
  /** Host-physical memory size. */
  readonly memory: number;
  /** Default size of the host pages that back a slot: 4K, 2M or 1G in bytes. */
  readonly pageSize: number;
  /** MAXPHYADDR, 36 to 52. */
  readonly maxPhyAddr: number;
  readonly features: Features;
  /** A read-modify-write is a load and then a store, as of emulated processors; otherwise it asks for the write at once. */
  readonly rmwLoadsFirst?: boolean;
  readonly tlb: TlbConfig;
  readonly kvm: KvmOptions;
}

/** Processor features (CPUID), offered to guests as well unless their own {@link Cpuid} says otherwise. */
export interface Features {
  readonly la57: boolean;
  readonly nx: boolean;
  readonly smep: boolean;
  readonly smap: boolean;
  readonly pcid: boolean;
  readonly pku: boolean;
  readonly pks: boolean;
  readonly page1G: boolean;
  readonly pse36: boolean;
  readonly eptAd: boolean;
  readonly eptExecuteOnly: boolean;
  readonly ept1G: boolean;
  readonly ept5Level: boolean;
  readonly pml: boolean;
  readonly vmcsShadowing: boolean;
  /** AMD: exits by CR accesses and INVLPG say their operands; else KVM fetches and emulates the instruction. */
  readonly decodeAssists: boolean;
  readonly vpid: boolean;
}

/** What CPUID shows to a guest (KVM_SET_CPUID2): KVM's own walks and checks go by it, the processor does not. */
export interface Cpuid {
  /** MAXPHYADDR, 36 to that of the processor. */
  readonly maxPhyAddr: number;
  readonly features: Features;
}

/** Geometry of the TLB and paging-structure caches. Entries = sets * ways; sets are powers of two. */
export interface TlbConfig {
  readonly on: boolean;
  readonly l1: { readonly sets: number; readonly ways: number };
  readonly l2: { readonly sets: number; readonly ways: number };
  /** Entries of each paging-structure cache; 0 is none. */
  readonly pagingStructureEntries: number;
}

/** KVM's cleverness, each to be switched off for teaching. The default is what kernel 6.1 does. */
export interface KvmOptions {
  /** Map neighbours of a faulting address (soft MMU, nested shadows, older direct MMU). */
  readonly prefetch: boolean;
  /** Let level-1 tables go unsync; otherwise every write to one is emulated. */
  readonly unsync: boolean;
  readonly largePages: boolean;
  readonly fastPageFault: boolean;
  /** Previous roots kept besides the current one: 0 to 3. */
  readonly cachedRoots: number;
  /** Emulated writes after which a shadow page is zapped; 0 is never. */
  readonly flooding: number;
  /** TDP MMU, or the older direct MMU. */
  readonly tdpMmu: boolean;
  /** Use PML for dirty logging where the processor has it. */
  readonly pml: boolean;
  /** EPT A/D bits, where the processor has them. */
  readonly eptAd: boolean;
  /** Shadow pages at most; 0 is KVM's own limit. */
  readonly nrMmuPages: number;
  /** A slot that goes takes everything of the VM with it (KVM_X86_QUIRK_SLOT_ZAP_ALL); off only where the kernel has the quirk. */
  readonly slotZapAll: boolean;
  /** KVM_DIRTY_LOG_INITIALLY_SET with manual protect. */
  readonly dirtyLogInitiallySet: boolean;
  /** One EPT root for L1 and for L2 of a soft L1 (older kernels). */
  readonly shareEptRoot: boolean;
  /** kvm_intel.allow_smaller_maxphyaddr: under EPT too a guest with fewer address bits than the processor gets the faults that it expects. */
  readonly allowSmallerMaxPhyAddr: boolean;
  /** VMREAD/VMWRITE exits of an L1 handler for each reflected exit, without VMCS shadowing. */
  readonly vmreads: number;
  readonly vmwrites: number;
  /** Kernel whose behaviour is followed where they differ: in the rules of mmu/kernel-rules.ts, and in nothing else. */
  readonly kernel: Kernel;
  /** Rules by their names that hold, or do not, whatever that kernel does: to find which of them makes a difference. */
  readonly rules?: { readonly [rule: string]: boolean };
}

/** Kernels, the oldest first, and the release that was measured of each. */
export const KERNELS = { '6.1': '6.1.192', '6.12': '6.12.113' } as const;
export type Kernel = keyof typeof KERNELS;

export interface VmConfig {
  readonly name: string;
  readonly parent: number | null;
  readonly mmu: MmuKind;
  /** Absent: what the processor has. */
  readonly cpuid?: Cpuid;
  /** As a hypervisor for its children: KVM itself, or only what the script says. */
  readonly hypervisor: 'kvm' | 'script';
  /** How the VM around it runs this one. */
  readonly control?: ControlConfig;
  readonly slots: readonly SlotConfig[];
  /** Guest memory at the start, besides zeros. */
  readonly memory: readonly MemoryImage[];
  readonly vcpus: readonly VcpuConfig[];
}

/** What an L1 puts into its control structure (VMCS, VMCB) for a VM inside it. */
export interface ControlConfig {
  /** Guest-physical address of the structure, in L1's memory. */
  readonly address?: number;
  /** VPID or ASID; 0 is none. */
  readonly vpid?: number;
  /** An L1 by script: root of the tables by which the VM runs (EPT, nested or shadow tables in L1's memory). */
  readonly root?: number;
}

/** Aligned 64-bit words from `gpa` on. 4-byte entries come two a word. */
export interface MemoryImage {
  readonly gpa: number;
  readonly words: BigUint64Array;
}

/** KVM_SET_USER_MEMORY_REGION's argument, with the host's backing. */
export interface SlotConfig {
  readonly id: number;
  readonly gpa: number;
  readonly size: number;
  readonly hva: number;
  readonly readonly: boolean;
  readonly logDirty: boolean;
  readonly addressSpace?: number;
  readonly backing: Backing;
  /** Statement, for diagnostics. */
  readonly origin: number;
}

/** How the host backs a slot's user memory: pages of that size, there already or on first touch. */
export interface Backing {
  readonly pageSize: number;
  readonly populated: boolean;
  /** Large pages are reserved ones of hugetlbfs, as those of 1G always are; otherwise transparent huge pages. */
  readonly hugetlbfs?: boolean;
}

export interface VcpuConfig {
  readonly name: string;
  readonly paging: PagingMode;
  readonly cr3: bigint;
  readonly cr0: CR0;
  readonly cr4: CR4;
  readonly efer: EFER;
  readonly eflagsAc: boolean;
  readonly pkru: number;
  readonly pkrs: number;
  /** Current privilege level of accesses that do not say otherwise: 0 or 3. */
  readonly cpl: 0 | 3;
}

export interface CR0 {
  readonly wp: boolean;
}
export interface CR4 {
  readonly pse: boolean;
  readonly pge: boolean;
  readonly pcide: boolean;
  readonly smep: boolean;
  readonly smap: boolean;
  readonly pke: boolean;
  readonly pks: boolean;
}
export interface EFER {
  readonly nxe: boolean;
}

/** Whose act it is. `vcpu` indexes `vms[vm].vcpus`. */
export interface Performer {
  readonly vm: number;
  readonly vcpu: number;
}

interface ActBase {
  /** Statement of the script (index into the scenario's statements), for journal, positions and views. */
  readonly origin: number;
}

export type AccessKind = 'read' | 'write' | 'fetch' | 'rmw';

export type Act =
  | AccessAct
  | (ActBase & { readonly do: 'store'; readonly by: Performer; readonly gpa: number; readonly value: bigint; readonly size: 4 | 8 })
  | EditAct
  /** `mask`: bits that are written; absent: all. */
  | (ActBase & {
      readonly do: 'register';
      readonly by: Performer;
      readonly register: RegisterName;
      readonly value: bigint;
      readonly mask?: bigint;
    })
  | (ActBase & { readonly do: 'mov-from'; readonly by: Performer; readonly register: ControlRegister })
  | (ActBase & { readonly do: 'invlpg'; readonly by: Performer; readonly address: bigint })
  | (ActBase & {
      readonly do: 'invpcid';
      readonly by: Performer;
      readonly type: 0 | 1 | 2 | 3;
      readonly pcid: number;
      readonly address: bigint;
    })
  /** Types that the processor does not have fail (VMfail). */
  | (ActBase & { readonly do: 'invept'; readonly by: Performer; readonly type: number; readonly eptp: bigint })
  | (ActBase & {
      readonly do: 'invvpid';
      readonly by: Performer;
      readonly type: number;
      readonly vpid: number;
      readonly address: bigint;
    })
  /** L1 by script enters its guest (VMLAUNCH, VMRESUME, VMRUN). */
  | (ActBase & {
      readonly do: 'vmenter';
      readonly by: Performer;
      readonly instruction: 'vmlaunch' | 'vmresume' | 'vmrun';
      readonly guest: number;
    })
  /** L1 by script writes a field of its control structure for a guest (VMWRITE; a store to the VMCB). */
  | (ActBase & {
      readonly do: 'vmcs';
      readonly by: Performer;
      readonly guest: number;
      readonly field: ControlField;
      readonly value: bigint;
    })
  /** An instruction that always exits and means nothing to the MMU. */
  | (ActBase & { readonly do: 'instruction'; readonly by: Performer; readonly instruction: 'cpuid' | 'vmcall' | 'rdmsr' | 'wrmsr' })
  | HostAct
  | ExpectAct
  | (ActBase & { readonly do: 'check-invariants' });

/** Guest state in VMCS and VMCB alike. `cr3`: L2's own or the root of L1's shadow tables. */
type GuestField = 'cr0' | 'cr3' | 'cr4' | 'efer';
/** Fields of a VMCS that the MMU depends on, by the manual's names (SDM vol. 3D, appendix B). */
export type VmcsField =
  | GuestField
  | 'vpid'
  | 'eptp'
  | 'pin_controls'
  | 'primary_controls'
  | 'secondary_controls'
  | 'exit_controls'
  | 'entry_controls'
  | 'exception_bitmap'
  | 'pfec_mask'
  | 'pfec_match'
  | 'pml_address'
  | 'pml_index'
  | 'link_pointer';
/** Fields of a VMCB (APM vol. 2, appendix B). */
export type VmcbField = GuestField | 'asid' | 'ncr3' | 'tlb_control' | 'intercept_exceptions';
export type ControlField = VmcsField | VmcbField;

export interface AccessAct extends ActBase {
  readonly do: 'access';
  readonly by: Performer;
  readonly access: AccessKind;
  readonly user: boolean;
  /** Supervisor access that the processor makes by itself (descriptor tables), at any privilege. */
  readonly implicit: boolean;
  /** EFLAGS.AC for this access; null: the vCPU's. */
  readonly ac: boolean | null;
  readonly address: bigint;
  readonly size: 1 | 2 | 4 | 8;
  /** What is stored or added; null: a value is made up, deterministically. */
  readonly value: bigint | null;
  readonly count: number;
  readonly stride: bigint;
  /** The guest's #PF handler for this access: run at the first #PF, then the access is retried. */
  readonly handler: readonly Act[] | null;
}

/**
 * An edit of a paging structure by name, as the guest kernel's store: through a supervisor-writable mapping of the table
 * where the current tables have one, otherwise by guest-physical address.
 */
export interface EditAct extends ActBase {
  readonly do: 'edit';
  readonly by: Performer;
  readonly table: TableRef;
  readonly address: bigint;
  /** Level of the entry (1 is the page table); 0: the leaf that maps the address. */
  readonly level: number;
  /** Bits cleared, then bits set. */
  readonly clear: bigint;
  readonly set: bigint;
}

/**
 * Tables that hypervisors keep for a VM: by which hardware runs it now, `shadow` (linear address) or `tdp` (guest-physical; of
 * an L2 whose L1 has a soft MMU, L1's guest-physical). Of an L2, those are L0's; `shadow12` and `tdp12` are what its L1 keeps,
 * being KVM.
 */
export type HypervisorTable = 'shadow' | 'tdp' | 'shadow12' | 'tdp12';

/** A paging structure of some format by its root. */
export interface TableRef {
  readonly format: PagingMode | 'ept' | 'npt';
  /** Guest-physical address of the root, in the memory of the performer's VM. */
  readonly root: number;
}

/** Registers that MOV reads. */
export type ControlRegister = 'cr0' | 'cr2' | 'cr3' | 'cr4';
export type RegisterName = 'cr0' | 'cr3' | 'cr4' | 'efer' | 'eflags' | 'pkru' | 'pkrs';

export type HostAct = ActBase &
  (
    | { readonly do: 'set-slot'; readonly vm: number; readonly slot: SlotConfig }
    | { readonly do: 'delete-slot'; readonly vm: number; readonly id: number }
    | { readonly do: 'move-slot'; readonly vm: number; readonly id: number; readonly gpa: number }
    | { readonly do: 'slot-flags'; readonly vm: number; readonly id: number; readonly logDirty: boolean; readonly readonly: boolean }
    | { readonly do: 'get-dirty-log'; readonly vm: number; readonly id: number }
    | { readonly do: 'clear-dirty-log'; readonly vm: number; readonly id: number; readonly first: number; readonly pages: number }
    /** madvise(MADV_DONTNEED) or reclaim: the MMU notifier unmaps the range. */
    | { readonly do: 'reclaim'; readonly vm: number; readonly hva: number; readonly size: number }
    | { readonly do: 'protect'; readonly vm: number; readonly hva: number; readonly size: number; readonly writable: boolean }
    | { readonly do: 'split'; readonly vm: number; readonly hva: number; readonly size: number }
    | { readonly do: 'collapse'; readonly vm: number; readonly hva: number; readonly size: number }
    | { readonly do: 'host-write'; readonly vm: number; readonly gpa: number; readonly value: bigint }
    | { readonly do: 'zap-all'; readonly vm: number }
    | { readonly do: 'set-nr-mmu-pages'; readonly vm: number; readonly pages: number }
  );

/** An expectation on the act before it (`last`), or on the state at this point. */
export interface ExpectAct extends ActBase {
  readonly do: 'expect';
  readonly by: Performer;
  readonly what: Expectation;
}

export type Expectation =
  | { readonly kind: 'ok' }
  | { readonly kind: 'page-fault'; readonly error: number | null }
  | { readonly kind: 'general-protection' }
  | { readonly kind: 'shutdown' }
  | { readonly kind: 'mmio'; readonly write: boolean | null }
  /** It ended in an exit that the hypervisor played by the script gets; null: whatever the reason. */
  | { readonly kind: 'vm-exit'; readonly reason: string | null }
  /** The ioctl or access failed with this errno (as EEXIST). */
  | { readonly kind: 'error'; readonly errno: string }
  | { readonly kind: 'value'; readonly value: bigint }
  | { readonly kind: 'address'; readonly space: 'gpa' | 'hva' | 'hpa'; readonly address: number }
  /** The last access reached the host page that backs this guest-physical address. */
  | { readonly kind: 'hpa-of-gpa'; readonly gpa: number }
  /** `from`: exits of this VM alone, one or the other of a VM inside a VM; absent: all. */
  | {
      readonly kind: 'exits';
      readonly count: number;
      readonly reason: string | null;
      readonly compare: '==' | '<=' | '>=';
      readonly from?: number;
    }
  | { readonly kind: 'references'; readonly count: number; readonly compare: '==' | '<=' | '>=' }
  /** A sum over the run up to here. */
  | { readonly kind: 'total'; readonly of: TotalOf; readonly count: number; readonly compare: '==' | '<=' | '>=' }
  | {
      readonly kind: 'entry';
      readonly table: TableRef | HypervisorTable;
      readonly vm: number;
      readonly address: bigint;
      readonly level: number;
      readonly mask: bigint;
      readonly value: bigint;
    }
  /** The entry is not present, or there is no such table; with `not` it is there and present. */
  | {
      readonly kind: 'absent';
      readonly table: TableRef | HypervisorTable;
      readonly vm: number;
      readonly address: bigint;
      readonly level: number;
      readonly not?: boolean;
    }
  | {
      readonly kind: 'page-state';
      readonly vm: number;
      readonly gpa: number;
      readonly state: 'write-protected' | 'tracked' | 'unsync' | 'synced' | 'shadowed';
      readonly not: boolean;
    }
  | { readonly kind: 'dirty'; readonly vm: number; readonly slot: number; readonly gpas: readonly number[] }
  | { readonly kind: 'tlb'; readonly address: bigint; readonly present: boolean }
  /** Events in this order since the statement before the expectation, others in between allowed. */
  | { readonly kind: 'events'; readonly events: readonly EventPattern[] }
  | { readonly kind: 'word'; readonly vm: number; readonly gpa: number; readonly value: bigint }
  | { readonly kind: 'register'; readonly register: RegisterName | 'cr2'; readonly mask: bigint; readonly value: bigint }
  /** A field of L1's control structure for a VM inside it. */
  | { readonly kind: 'control'; readonly vm: number; readonly field: ControlField; readonly value: bigint }
  /** The guest has seen the same so far in all runs of this script that have this act. Not to be judged in one run: see run/same.ts. */
  | { readonly kind: 'same' };

/** What is summed up; exits as an expectation of `exits` has them, events and statistics of `kvm_stat` by their names. */
export type TotalOf =
  | { readonly what: 'exits'; readonly reason: string | null; readonly from?: number }
  | { readonly what: 'references' }
  | { readonly what: 'event' | 'statistic'; readonly name: string };

/** An event of the journal by its name and some of its fields (journal/events.ts). */
export interface EventPattern {
  readonly name: string;
  readonly fields: readonly EventFieldPattern[];
}

export interface EventFieldPattern {
  /** Null: the event's first field. `level` is the row's paging level, `actor` who acted, as `L1`. */
  readonly name: string | null;
  /** A number, or the name that stands for it, as an exit reason: `EPT_VIOLATION`. */
  readonly value: bigint | string;
}
