/** Words of paging: flags of mappings, bits of entries and registers. */

/** Where a flag may stand: after a mapping or upper entry, in an expectation on an entry, of a slot, of `protect`. */
export type FlagPlace = 'mapping' | 'entry' | 'slot' | 'protect';

interface FlagSpec {
  readonly about: string;
  /** What an expression after it says; absent: nothing follows. */
  readonly takes?: 'a size' | 'a number';
}

const rights: { readonly [word: string]: FlagSpec } = {
  rw: { about: 'Readable and writable: R/W = 1. In EPT: R = W = 1.' },
  ro: { about: 'Read-only: R/W = 0. In EPT: R = 1, W = 0.' },
  user: { about: 'U/S = 1: user and supervisor accesses.' },
  supervisor: { about: 'U/S = 0: supervisor accesses only.' },
  nx: { about: 'Execute-disable: XD = 1, no fetches (needs EFER.NXE). In EPT: X = 0.' },
  x: { about: 'Fetches allowed: XD = 0. In EPT: X = 1.' },
  r: { about: 'EPT: readable only.' },
  w: { about: 'EPT: W = 1 alone. Writable without readable is an EPT misconfiguration.' },
  rx: { about: 'EPT: readable and executable.' },
  wx: { about: 'EPT: W = X = 1 without R, an EPT misconfiguration.' },
  rwx: { about: 'EPT: readable, writable and executable.' },
  global: { about: 'G = 1: stays in the TLB over MOV CR3 when CR4.PGE = 1.' },
  accessed: { about: 'A: the entry was used in a translation.' },
  dirty: { about: 'D: the page was written through this entry.' },
  pwt: { about: 'PWT, page-level write-through.' },
  pcd: { about: 'PCD, page-level cache disable.' },
};

export const FLAGS: { readonly [place in FlagPlace]: { readonly [word: string]: FlagSpec } } = {
  mapping: {
    ...rights,
    absent: { about: 'P = 0: the entry is filled in but not present.' },
    pages: { about: 'Size of the pages that map the range: `4K` (default), `2M`, `4M` (32-bit paging) or `1G`.', takes: 'a size' },
    key: { about: 'Protection key, 0 to 15: bits 62:59 of the entry.', takes: 'a number' },
    memtype: { about: 'EPT memory type, bits 5:3 of a leaf: 0 is UC, 6 is WB (default).', takes: 'a number' },
  },
  entry: {
    ...rights,
    present: { about: 'The entry is present. For `tlb`: the translation is cached.' },
    absent: { about: 'The entry is not present, or there is no such table. For `tlb`: the translation is not cached.' },
    large: { about: 'PS = 1: the entry maps a large page.' },
  },
  slot: {
    log_dirty: { about: 'KVM_MEM_LOG_DIRTY_PAGES.' },
    readonly: { about: 'KVM_MEM_READONLY. An existing slot cannot change it.' },
    none: { about: 'No flags.' },
  },
  protect: {
    ro: { about: 'The host maps the range read-only (PROT_READ).' },
    rw: { about: 'The host maps the range readable and writable.' },
  },
};

/** Fields of a paging entry, as `kernel[0x40_0000].writable`. */
export const BITS: { readonly [word: string]: string } = {
  present: 'P, bit 0: the entry is in use.',
  readable: 'EPT R, bit 0.',
  writable: 'R/W, bit 1: writes allowed. In EPT: W, bit 1.',
  user: 'U/S, bit 2: user accesses allowed.',
  executable: 'Fetches allowed: XD = 0. In EPT: X, bit 2.',
  nx: 'XD, bit 63: fetches forbidden, when EFER.NXE = 1.',
  pwt: 'PWT, bit 3.',
  pcd: 'PCD, bit 4.',
  accessed: 'A, bit 5 (EPT: bit 8).',
  dirty: 'D, bit 6 of a leaf (EPT: bit 9).',
  large: 'PS, bit 7 at levels 2 and 3: the entry maps a large page.',
  global: 'G, bit 8 of a leaf.',
  key: 'Protection key, bits 62:59.',
  memtype: 'EPT memory type, bits 5:3 of a leaf.',
  frame: 'Address of the page or of the next table.',
  host_writable: 'Shadow and TDP entries: software bit, the host lets KVM write the page (§5.1.3).',
  mmu_writable: 'Shadow and TDP entries: software bit, W may be set at once (§5.1.3).',
};

interface RegisterSpec {
  readonly about: string;
  readonly bits: { readonly [bit: string]: string };
}

export const REGISTERS: { readonly [word: string]: RegisterSpec } = {
  cr0: { about: 'CR0: paging and write protection.', bits: { wp: 'Write protect, bit 16: supervisor writes obey R/W = 0.', pg: 'Paging, bit 31.', pe: 'Protection enable, bit 0.' } },
  cr2: { about: 'CR2: linear address of the last #PF. In a handler: the address of the fault.', bits: {} },
  cr3: { about: 'CR3: root of the first-stage tables, and the PCID. MOV to CR3 flushes (SDM vol. 3A, §4.10.4.1).', bits: {} },
  cr4: {
    about: 'CR4: features of paging.',
    bits: {
      pse: 'Page size extensions, bit 4.',
      pae: 'Physical address extension, bit 5.',
      pge: 'Page global enable, bit 7.',
      la57: '57-bit linear addresses, bit 12.',
      pcide: 'PCID enable, bit 17.',
      smep: 'Supervisor-mode execution prevention, bit 20.',
      smap: 'Supervisor-mode access prevention, bit 21.',
      pke: 'Protection keys for user pages, bit 22.',
      pks: 'Protection keys for supervisor pages, bit 24.',
    },
  },
  efer: { about: 'IA32_EFER.', bits: { nxe: 'Execute-disable enable, bit 11.', lme: 'Long mode enable, bit 8.', lma: 'Long mode active, bit 10.' } },
  eflags: { about: 'EFLAGS.', bits: { ac: 'Alignment check / access control, bit 18: suspends SMAP (STAC, CLAC).' } },
  pkru: { about: 'PKRU: rights of protection keys for user pages, AD and WD a key.', bits: {} },
  pkrs: { about: 'IA32_PKRS: rights of protection keys for supervisor pages.', bits: {} },
  vmcs: {
    about: "L1's VMCS for its guest (vmcs12), when L1 is played by the script.",
    bits: {
      eptp: 'EPT pointer: root of EPT12 and its attributes.',
      cr3: "Guest CR3: L2's own, or the root of L1's shadow tables.",
      vpid: 'VPID that L1 gives L2.',
      cr0: 'Guest CR0. VMX operation wants PE, PG and NE in it, of an unrestricted guest NE alone.',
      cr4: 'Guest CR4. VMX operation wants VMXE, bit 13, in it.',
      efer: 'Guest IA32_EFER.',
      pin_controls: 'Pin-based VM-execution controls.',
      primary_controls: 'Primary processor-based VM-execution controls: INVLPG exiting, bit 9; CR3-load exiting, bit 15; CR3-store exiting, bit 16; secondary controls, bit 31.',
      secondary_controls: 'Secondary processor-based VM-execution controls: EPT, bit 1; VPID, bit 5; unrestricted guest, bit 7; PML, bit 17.',
      exit_controls: 'VM-exit controls: host address-space size, bit 9.',
      entry_controls: 'VM-entry controls: IA-32e mode guest, bit 9; load IA32_EFER, bit 15.',
      exception_bitmap: 'Exceptions of L2 that exit to L1: #PF, bit 14.',
      pfec_mask: 'Page-fault error-code mask: a #PF counts as one of the bitmap only if error code & mask = match, and else the other way round.',
      pfec_match: 'Page-fault error-code match.',
      pml_address: 'Page of the log of page-modification logging.',
      pml_index: 'Next entry of that log, from 511 down. Beyond, L2 exits with PML_FULL.',
      link_pointer: 'VMCS link pointer: all ones is none.',
    },
  },
  vmcb: {
    about: "L1's VMCB for its guest (vmcb12), when L1 is played by the script.",
    bits: {
      ncr3: 'nCR3: root of NPT12.',
      cr3: "Guest CR3: L2's own, or the root of L1's shadow tables.",
      asid: 'ASID that L1 gives L2. ASID 0 is refused.',
      tlb_control: 'TLB_CONTROL: what VMRUN flushes (APM vol. 2, §15.16).',
      cr0: 'Guest CR0.',
      cr4: 'Guest CR4.',
      efer: 'Guest EFER. VMRUN wants SVME, bit 12, in it.',
      intercept_exceptions: 'Exceptions of L2 that exit to L1: #PF, bit 14.',
    },
  },
}; // prettier-ignore
