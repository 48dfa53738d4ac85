/**
 * Where kernels differ: one table of rules, a column a kernel. The engine asks for a rule by its name and knows no kernel; a
 * kernel is added as a column, which each rule must fill. Rows C1 to C16 are those of mmu-semantics-6.1.md, table 1.
 */
import type { Kernel } from '../program';

/** How it is known what a kernel does: from recordings of it, or from its source alone. */
export type Proof = 'measured' | 'read';

export interface Cell {
  /** The rule holds for the kernel. */
  readonly holds: boolean;
  readonly proof: Proof;
}

export type KernelRule = {
  /** Where in arch/x86/kvm. */
  readonly function: string;
} & { readonly [kernel in Kernel]: Cell };

const measured = (holds: boolean): Cell => ({ holds, proof: 'measured' });
const read = (holds: boolean): Cell => ({ holds, proof: 'read' });

export const KERNEL_RULES = {
  /**
   * INVLPG, and a denied access for its address, bring one entry of an unsync table into step and map nothing new (C1, C2, C3).
   * Else the entry is dropped, and what the guest's says now is mapped at once (paging_tmpl.h: invlpg).
   */
  invalidationSyncs: {
    function: 'mmu/mmu.c: __kvm_mmu_invalidate_addr',
    '6.1': measured(false),
    mainline: read(true),
  },
  /** Synchronization leaves an entry alone whose frame and rights are what they were; else it is made anew, without A and D (C4). */
  syncKeepsUnchanged: {
    function: 'mmu/paging_tmpl.h: sync_spte',
    '6.1': measured(false),
    mainline: read(true),
  },
  /** Where the format has no A, an entry made anew by synchronization waits for its next access without rights, as prefetched ones do. */
  syncTracksAccess: {
    function: 'mmu/spte.c: make_spte',
    '6.1': measured(true),
    mainline: read(false),
  },
  /** D comes with W also over an entry that was writable, so that a leaf found again is spurious (C5, C6). */
  writableMeansDirty: {
    function: 'mmu/spte.c: make_spte',
    '6.1': measured(false),
    mainline: read(true),
  },
  /** A page that holds a table of the faulting address's own way is not mapped large; else its being shadowed forbids that alone. */
  selfMappingIsSmall: {
    function: 'mmu/paging_tmpl.h: is_self_change_mapping',
    '6.1': measured(true),
    mainline: read(false),
  },
  /** Write protection is given up for an instruction's sake only where there is some: not for a READONLY slot (C9). */
  readonlySlotIsEmulated: {
    function: 'mmu/mmu.c: kvm_mmu_write_protect_fault',
    '6.1': measured(false),
    mainline: read(true),
  },
  /** A huge leaf in the way of a small one becomes a table of small leaves; else it is zapped, and its other pages fault again. */
  hugeInTheWayIsSplit: {
    function: 'mmu/tdp_mmu.c: kvm_tdp_mmu_map',
    '6.1': measured(false),
    mainline: read(true),
  },
  /** A root in no slot is a table of zeros, by which every access faults; else the guest is shut down before it is entered. */
  rootOutsideIsDummy: {
    function: 'mmu/mmu.c: mmu_alloc_shadow_roots',
    '6.1': measured(false),
    mainline: read(true),
  },
  /** Bit 63 stands in empty entries, in the mark of removal and in all entries of EPT (C10, C11). */
  suppressVe: {
    function: 'mmu/spte.h: SHADOW_NONPRESENT_VALUE',
    '6.1': measured(false),
    mainline: read(true),
  },
} as const satisfies Readonly<Record<string, KernelRule>>;

export type KernelRuleName = keyof typeof KERNEL_RULES;

/** Which rules hold. */
export type KernelRules = Readonly<Record<KernelRuleName, boolean>>;

/** The column of a kernel. */
export function rulesOf(kernel: Kernel): KernelRules {
  const names = Object.keys(KERNEL_RULES) as KernelRuleName[];
  return Object.fromEntries(names.map((name) => [name, KERNEL_RULES[name][kernel].holds])) as Record<KernelRuleName, boolean>;
}
