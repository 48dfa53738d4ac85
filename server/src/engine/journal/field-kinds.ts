/** Kinds of fields: how wide a value is, what it is, and which names stand for its numbers. */
import {
  CREATED,
  HOST_MM,
  LOCAL_FLUSH,
  ENTRY_CHECK,
  MEMSLOT_CHANGE,
  FLUSH_SCOPE,
  MMIO_TYPE,
  RET_PF,
  STAGE,
  STRUCTURE,
  USER_EXIT,
  VECTOR,
  type EntryCheck,
  type FlushScope,
  type HostMm,
  type LocalFlush,
  type MemslotChange,
  type Meaning,
  type MmioType,
  type RetPf,
  type Structure,
  type UserExit,
} from './enumerations';

export interface FieldKindSpec {
  /** 64: a slot of its own; up to 32: half of one; up to 16: within the row's first word, as long as there is room. */
  readonly bits: number;
  readonly about: string;
  /** How people write it, where no name stands for it; absent: in hexadecimal. */
  readonly written?: 'decimal' | 'flags';
  /** Numbers that have names. */
  readonly values?: { readonly [value: number]: Meaning };
}

export const FIELD_KINDS = {
  gva: { bits: 64, about: 'guest-virtual (linear) address' },
  gpa: { bits: 64, about: 'guest-physical address' },
  hva: { bits: 64, about: 'virtual address of the VMM' },
  hpa: { bits: 64, about: 'host-physical address; in events of an L1, of its own physical memory' },
  gfn: { bits: 64, about: 'guest frame number' },
  pfn: { bits: 64, about: 'host frame number; bit 63 alone: no slot' },
  entry: { bits: 64, about: 'entry of a paging structure of the guest, or as the processor reads it' },
  spte: { bits: 64, about: "entry of the hypervisor's tables" },
  word: { bits: 64, about: 'any value' },
  count: { bits: 64, written: 'decimal', about: 'number' },
  exit_info: { bits: 64, about: 'exit information, by the reason: qualification and guest-physical address, EXITINFO1 and EXITINFO2' },
  fault_info: { bits: 64, about: '#PF error code, EXITINFO1 of a nested page fault, or exit qualification of an EPT violation' },
  qualification: { bits: 64, about: 'exit qualification of an EPT violation' },
  exitinfo1: { bits: 64, about: 'EXITINFO1 of a nested page fault' },
  pferr: { bits: 32, written: 'flags', about: '#PF error code' },
  intr_info: { bits: 32, about: 'interruption information (VMX), EXITINTINFO or EVENTINJ (SVM): the vector and its type' },
  role: {
    bits: 32,
    about:
      'role of a shadow page (union kvm_mmu_page_role of 6.1); of its bits cr0_wp, smep_andnot_wp, smap_andnot_wp, guest_mode and passthrough are not in texts of ftrace',
  },
  msr: { bits: 32, about: 'number of an MSR' },
  number: { bits: 32, written: 'decimal', about: 'number' },
  exit_reason: { bits: 16, written: 'decimal', about: 'exit reason (VMX) or exit code (SVM)' },
  vcpu: { bits: 12, written: 'decimal', about: 'number of a vCPU in its VM' },
  access: { bits: 4, about: 'bits 1:0 read 0, write 1, fetch 2, read-modify-write 3; bit 2: user, bit 3: implicit supervisor' },
  acc: { bits: 3, about: 'ACC_*: bit 0 execute, bit 1 write, bit 2 user' },
  bytes: { bits: 5, written: 'decimal', about: 'number of bytes' },
  register: { bits: 5, written: 'decimal', about: 'number of a register (vcpu/registers.ts)' },
  cr_mask: { bits: 16, about: 'control registers, a bit each' },
  intercepts: { bits: 32, about: 'intercepts, a bit each: a word of the VMCB from offset 0x8 on' },
  cr: { bits: 4, written: 'decimal', about: 'number of a control register' },
  flag: { bits: 1, written: 'decimal', about: '0 or 1' },
  created: { bits: 1, written: 'decimal', about: 'found or made', values: CREATED },
  vector: { bits: 8, written: 'decimal', about: 'vector of an exception', values: VECTOR },
  ret_pf: { bits: 4, written: 'decimal', about: 'RET_PF_*, with the numbers of 6.1', values: RET_PF },
  mmio_type: { bits: 2, written: 'decimal', about: 'kind of MMIO access', values: MMIO_TYPE },
  user_exit: { bits: 8, written: 'decimal', about: 'KVM_EXIT_*', values: USER_EXIT },
  stage: { bits: 2, written: 'decimal', about: 'whose tables', values: STAGE },
  structure: { bits: 3, written: 'decimal', about: 'which cache', values: STRUCTURE },
  tlb_tag: {
    bits: 10,
    written: 'decimal',
    about: 'number of what tags a cached translation: VPID or ASID, PCID, root of the second stage',
  },
  host_mm: { bits: 3, written: 'decimal', about: 'what the kernel does to mappings', values: HOST_MM },
  memslot_change: { bits: 3, written: 'decimal', about: 'what becomes of a slot', values: MEMSLOT_CHANGE },
  entry_check: { bits: 8, written: 'decimal', about: 'check of KVM that fails', values: ENTRY_CHECK },
  local_flush: { bits: 2, written: 'decimal', about: 'what a hypervisor flushes of a vCPU', values: LOCAL_FLUSH },
  flush_scope: { bits: 4, written: 'decimal', about: 'what goes', values: FLUSH_SCOPE },
} as const satisfies { readonly [kind: string]: FieldKindSpec };

export type FieldKind = keyof typeof FIELD_KINDS;

/** Kinds whose fields take a number of an enumeration only. */
interface Enumerated {
  readonly ret_pf: RetPf;
  readonly mmio_type: MmioType;
  readonly user_exit: UserExit;
  readonly structure: Structure;
  readonly entry_check: EntryCheck;
  readonly local_flush: LocalFlush;
  readonly flush_scope: FlushScope;
  readonly host_mm: HostMm;
  readonly memslot_change: MemslotChange;
  readonly flag: boolean;
  readonly created: boolean;
}

/** A 64-bit value in halves. */
export interface Halves {
  readonly lo: number;
  readonly hi: number;
}

type Wide<K extends FieldKind> = (typeof FIELD_KINDS)[K]['bits'] extends 64 ? true : false;

/** What a writer gives for a field: numbers below 2^53 or halves where it has 64 bits. */
export type Written<K extends FieldKind> = K extends keyof Enumerated ? Enumerated[K] : Wide<K> extends true ? number | Halves : number;

/** What a reader gets: unsigned. */
export type Read<K extends FieldKind> = Wide<K> extends true ? bigint : number;
