/** The settings of each block of the machine: what each takes, its default, and what it means. */

export type SettingBlock = 'host' | 'cpu' | 'tlb' | 'kvm' | 'budget' | 'vm' | 'slot' | 'vcpu';

/**
 * What stands after a setting's name: nothing, a switch (`on`, `off`), a number, a size or an address (expressions), one of
 * its choices, two numbers (`16 x 4`), or a block of settings; `switch-or-block` takes either.
 */
export type Takes = 'nothing' | 'switch' | 'number' | 'size' | 'address' | 'choice' | 'geometry' | 'block' | 'switch-or-block';

export interface SettingSpec {
  readonly takes: Takes;
  readonly about: string;
  /** As it would be written; absent when the setting must be given or is computed. */
  readonly default?: string;
  /** In words: what it is when it is not given, where that depends on other things. */
  readonly computed?: string;
  /** Choices with their explanations. */
  readonly choices?: { readonly [choice: string]: string };
  /** Block of settings that it opens. */
  readonly block?: SettingBlock;
}

const feature = (about: string, dflt: 'on' | 'off' = 'on'): SettingSpec => ({ takes: 'switch', about, default: dflt });

export const SETTING_BLOCKS: { readonly [block in SettingBlock]: { readonly [name: string]: SettingSpec } } = {
  host: {
    memory: { takes: 'size', default: '1G', about: 'Size of host-physical memory. Frames are given out as pages are touched.' },
    pages: { takes: 'size', default: '4K', about: 'Size of the host pages that back slots which do not say otherwise: `4K`, `2M` or `1G`. KVM maps no page larger than the host does.' },
    maxphyaddr: { takes: 'number', default: '46', about: 'Width of a physical address in bits, 36 to 52 (CPUID 80000008H:EAX[7:0]). Address bits at and above it are reserved in paging entries (SDM vol. 3A, §4.1.4).' },
    cpu: { takes: 'block', block: 'cpu', about: 'Features of the processor, offered to guests as well.' },
    tlb: { takes: 'switch-or-block', block: 'tlb', default: 'on', about: 'The TLB and paging-structure caches: geometry, or `off` (SDM vol. 3A, §4.10).' },
    kvm: { takes: 'block', block: 'kvm', about: "Options of the host's KVM. Each piece of its cleverness can be switched off." },
  },
  cpu: {
    vendor: {
      takes: 'choice', default: 'intel',
      about: 'Whose processor it is where no EPT or NPT says so: with soft MMU alone it decides how exits are called and numbered.',
      choices: { intel: 'Intel: VMX.', amd: 'AMD: SVM.' },
    },
    la57: {
      takes: 'switch', computed: 'on where 5-level paging is used',
      about: '5-level paging: 57-bit linear addresses (SDM vol. 3A, §4.5). When it is not given, the processor has it exactly if some vCPU or tables of the scenario use 5-level paging: a host that has it runs NPT with five levels, so that a 4-level guest costs 29 references a cold walk instead of 24.',
    },
    nx: feature('Execute-disable, bit 63 of PAE and 64-bit entries, enabled by EFER.NXE (SDM vol. 3A, §4.6).'),
    smep: feature('Supervisor-mode execution prevention, enabled by CR4.SMEP (SDM vol. 3A, §4.6).'),
    smap: feature('Supervisor-mode access prevention, enabled by CR4.SMAP and suspended by EFLAGS.AC (SDM vol. 3A, §4.6).'),
    pcid: feature('Process-context identifiers: CR3 bits 11:0 tag the TLB, enabled by CR4.PCIDE (SDM vol. 3A, §4.10.1).'),
    pku: feature('Protection keys for user pages, enabled by CR4.PKE, rights in PKRU (SDM vol. 3A, §4.6.2).'),
    pks: feature('Protection keys for supervisor pages, enabled by CR4.PKS, rights in IA32_PKRS (SDM vol. 3A, §4.6.2).'),
    page1g: feature('1-GByte pages in 4- and 5-level paging.'),
    pse36: feature('PSE-36: 4-MByte pages of 32-bit paging reach physical addresses above 4G (SDM vol. 3A, §4.3).'),
    ept_ad: feature('Accessed and dirty flags in EPT entries (SDM vol. 3C, "Accessed and Dirty Flags for EPT").'),
    ept_execute_only: feature('EPT entries may allow execution alone (IA32_VMX_EPT_VPID_CAP bit 0).'),
    ept_1g: feature('1-GByte pages in EPT (IA32_VMX_EPT_VPID_CAP bit 17).'),
    ept_5level: feature('EPT page walks of length 5 (IA32_VMX_EPT_VPID_CAP bit 7).'),
    pml: feature('Page-modification logging: the processor logs pages whose EPT dirty flag it sets (SDM vol. 3C, "Page-Modification Logging").'),
    vmcs_shadowing: feature("VMREAD and VMWRITE by an L1 hypervisor without VM exits (SDM vol. 3C, 'VMCS Shadowing')."),
    vpid: feature('Virtual-processor identifiers tag the TLB, so VM entries and exits need not flush it.'),
  },
  tlb: {
    l1: { takes: 'geometry', default: '16 x 4', about: 'First-level TLB: sets x ways; the number of sets is a power of two.' },
    l2: { takes: 'geometry', default: '128 x 8', about: 'Second-level TLB: sets x ways; the number of sets is a power of two.' },
    paging_structures: { takes: 'number', default: '32', about: 'Entries of each paging-structure cache; 0 is none (SDM vol. 3A, §4.10.3).' },
  },
  kvm: {
    kernel: {
      takes: 'choice', default: '6.1',
      about: 'The kernel whose behaviour is followed where kernels differ.',
      choices: { '6.1': 'Linux 6.1.', mainline: 'Linux of 2026, where it is known to differ: INVLPG brings an entry of an unsync table into step and maps nothing new, synchronization keeps entries whose rights have not changed, D comes with W always, a read-modify-write of a read-only slot is one exit, empty entries of shadow tables and EPT have bit 63 set. All else is as in 6.1.' },
    },
    prefetch: { takes: 'switch', default: 'on', about: 'After a fault, map neighbours of the address too (`direct_pte_prefetch`, `pte_prefetch`): soft MMU, nested shadows and the older direct MMU.' },
    unsync: { takes: 'switch', default: 'on', about: 'Let a level-1 guest table go out of sync: writes to it are free until the next flush (`mmu_try_to_unsync_pages`). When off, every write to it is emulated.' },
    large_pages: { takes: 'switch', default: 'on', about: 'Map 2M and 1G at once where slot, host page and guest page allow it.' },
    fast_page_fault: { takes: 'switch', default: 'on', about: 'Fix write-protection of dirty logging without the MMU lock (`fast_page_fault`).' },
    cached_roots: { takes: 'number', default: '3', about: 'Previous roots that a vCPU keeps, 0 to 3 (`KVM_MMU_NUM_PREV_ROOTS`).' },
    flooding: { takes: 'number', default: '3', about: 'Emulated writes to a shadowed table, with no use in between, after which its shadow page is zapped; 0 is never (`detect_write_flooding`).' },
    tdp_mmu: { takes: 'switch', default: 'on', about: "The TDP MMU for EPT and NPT (module parameter `kvm.tdp_mmu`); off: the older direct MMU with shadow pages and reverse maps." },
    pml: { takes: 'switch', default: 'on', about: 'Dirty logging by page-modification logging, where the processor has it (`kvm_intel.pml`).' },
    ept_ad: { takes: 'switch', default: 'on', about: 'Accessed and dirty flags in EPT, where the processor has them (`kvm_intel.eptad`).' },
    nr_mmu_pages: { takes: 'number', default: '0', about: "Shadow pages at most (KVM_SET_NR_MMU_PAGES); 0 is KVM's own limit, 2 % of the guest's pages and at least 64." },
    dirty_log_initially_set: { takes: 'switch', default: 'off', about: 'A new dirty log is all ones, and pages are protected when the log is cleared (KVM_DIRTY_LOG_INITIALLY_SET with manual protect).' },
    share_ept_root: { takes: 'switch', default: 'off', about: 'One EPT root for L1 and for the L2 of an L1 with a soft MMU, as kernels before guest_mode was part of the role.' },
    vmreads: { takes: 'number', default: '0', about: 'VMREADs that an L1 makes for each exit reflected to it; each is a VM exit without VMCS shadowing.' },
    vmwrites: { takes: 'number', default: '0', about: 'VMWRITEs that an L1 makes for each exit reflected to it; each is a VM exit without VMCS shadowing.' },
  },
  budget: {
    steps: { takes: 'number', default: '1_000_000', about: 'Acts executed at most, each repetition of an access counted.' },
    events: { takes: 'number', default: '4_000_000', about: 'Rows of the journal at most.' },
    memory: { takes: 'size', default: '256M', about: 'Simulated physical memory touched at most.' },
  },
  vm: {
    mmu: {
      takes: 'choice', default: 'ept',
      about: "How this VM's memory is virtualized by its hypervisor. A run's `under` overrides it.",
      choices: {
        soft: 'Soft MMU: shadow page tables, built from the guest tables on intercepted page faults.',
        ept: 'Hard MMU, Intel: extended page tables translate GPA to HPA.',
        npt: 'Hard MMU, AMD: nested page tables translate GPA to HPA.',
      },
    },
    hypervisor: {
      takes: 'choice', default: 'kvm',
      about: 'How this VM behaves as a hypervisor for the VMs inside it.',
      choices: {
        kvm: 'L1 behaves as KVM does: it builds its tables for L2 on the exits that it sees.',
        script: 'L1 does only what the script says: it edits its tables, invalidates, and enters L2.',
      },
    },
    root: { takes: 'address', about: 'For a VM inside a VM whose hypervisor is the script: root of the tables by which it runs (EPT, NPT or shadow tables in the memory of the VM around it).' },
    vmcs: { takes: 'address', about: "For a VM inside a VM: guest-physical address of L1's VMCS or VMCB for it." },
    vpid: { takes: 'number', default: '1', about: 'For a VM inside a VM: the VPID or ASID that L1 gives it; 0 is none, so every entry flushes.' },
  },
  slot: {
    gpa: { takes: 'address', about: '`guest_phys_addr` of KVM_SET_USER_MEMORY_REGION: where the slot begins in guest-physical memory. A multiple of 4K.' },
    size: { takes: 'size', about: '`memory_size` of KVM_SET_USER_MEMORY_REGION: bytes, a multiple of 4K.' },
    hva: { takes: 'address', computed: 'allocated', about: "`userspace_addr` of KVM_SET_USER_MEMORY_REGION: where the slot's memory lies in the VMM; of a VM inside a VM: in the guest-physical memory of that one. A multiple of 4K." },
    readonly: { takes: 'nothing', about: 'KVM_MEM_READONLY: reads reach memory, writes become MMIO exits.' },
    log_dirty: { takes: 'nothing', about: 'KVM_MEM_LOG_DIRTY_PAGES: KVM notes which pages are written; see `get dirty log`.' },
    address_space: { takes: 'number', default: '0', about: 'Address space of the slot id (bits 31:16): 0 is normal, 1 is SMM.' },
    pages: { takes: 'size', computed: 'those of the host', about: 'Size of the host pages that back the slot: `4K`, `2M` or `1G`.' },
    populated: { takes: 'nothing', about: 'The host pages are there from the start. This is the default.' },
    untouched: { takes: 'nothing', about: 'The host pages come into being when they are first touched.' },
  },
  vcpu: {
    paging: {
      takes: 'choice', default: '4-level',
      about: 'Paging mode (SDM vol. 3A, §4.1.1). It sets CR0.PG, CR4.PAE, CR4.LA57 and EFER.LME together.',
      choices: {
        none: 'CR0.PG = 0: linear addresses are physical addresses.',
        '32-bit': 'Two levels of 4-byte entries; 4-MByte pages with CR4.PSE.',
        pae: 'Three levels of 8-byte entries; the four PDPTEs are registers loaded with CR3.',
        '4-level': 'Four levels of 8-byte entries, 48-bit linear addresses.',
        '5-level': 'Five levels of 8-byte entries, 57-bit linear addresses (CR4.LA57).',
      },
    },
    cr3: { takes: 'address', about: "Root of the guest's tables: the name of tables, or an address. With CR4.PCIDE bits 11:0 are the PCID." },
    cpl: { takes: 'choice', default: '0', choices: { '0': 'Supervisor.', '3': 'User.' }, about: 'Privilege level of accesses that do not say `user` or `supervisor`: 0 or 3.' },
    'cr0.wp': { takes: 'switch', default: 'on', about: 'CR0.WP: supervisor writes obey R/W = 0 (SDM vol. 3A, §4.6).' },
    'cr4.pse': { takes: 'switch', default: 'off', about: 'CR4.PSE: 4-MByte pages in 32-bit paging.' },
    'cr4.pge': { takes: 'switch', default: 'off', about: 'CR4.PGE: pages with G = 1 stay in the TLB over MOV CR3.' },
    'cr4.pcide': { takes: 'switch', default: 'off', about: 'CR4.PCIDE: process-context identifiers. It can be set only in 64-bit mode with PCID 0.' },
    'cr4.smep': { takes: 'switch', default: 'off', about: 'CR4.SMEP: no supervisor fetch from user pages.' },
    'cr4.smap': { takes: 'switch', default: 'off', about: 'CR4.SMAP: no supervisor data access to user pages, unless EFLAGS.AC = 1.' },
    'cr4.pke': { takes: 'switch', default: 'off', about: 'CR4.PKE: protection keys for user pages.' },
    'cr4.pks': { takes: 'switch', default: 'off', about: 'CR4.PKS: protection keys for supervisor pages.' },
    'efer.nxe': { takes: 'switch', default: 'on', about: 'EFER.NXE: bit 63 of an entry forbids fetches; when off, the bit is reserved.' },
    'eflags.ac': { takes: 'switch', default: 'off', about: 'EFLAGS.AC: suspends SMAP for explicit supervisor accesses.' },
    pkru: { takes: 'number', default: '0', about: 'PKRU: two bits a key, AD and WD, for user pages.' },
    pkrs: { takes: 'number', default: '0', about: 'IA32_PKRS: two bits a key, AD and WD, for supervisor pages.' },
  },
}; // prettier-ignore
