/**
 * Where kernels differ: one table of rules. The engine asks for a rule by its name and knows no kernel. A kernel more is a name in
 * `KERNELS` and its proof in each rule, which none can leave out. Functions are those of arch/x86/kvm in the kernel that has the rule.
 */
import { KERNELS, type Kernel } from '../program';

/** How it is known what a kernel does: from recordings of it, or from its source alone. */
export type Proof = 'recorded' | 'read';

export interface KernelRule {
  /** What is so where the rule holds. */
  readonly about: string;
  /** First kernel in which it holds; absent: it always has. */
  readonly since?: Kernel;
  /** Last kernel in which it holds; absent: it still does. */
  readonly until?: Kernel;
  /** Where in arch/x86/kvm. */
  readonly function: string;
  readonly proof: { readonly [kernel in Kernel]: Proof };
}

const RECORDED = { '6.1': 'recorded', '6.12': 'recorded' } as const;

export const KERNEL_RULES = {
  invalidationSyncs: {
    about:
      "INVLPG, and a denied access for its address, bring one entry of an unsync table into step and map nothing new. Else the entry is dropped, and what the guest's says now is mapped at once.",
    since: '6.12',
    function: 'mmu/mmu.c: __kvm_mmu_invalidate_addr',
    proof: RECORDED,
  },
  syncKeepsUnchanged: {
    about: 'Synchronization leaves an entry alone whose frame and rights are what they were. Else it is made anew, without A and D.',
    since: '6.12',
    function: 'mmu/paging_tmpl.h: sync_spte',
    proof: RECORDED,
  },
  selfMappingIsSmall: {
    about:
      "A page that holds a table of the faulting address's own way is mapped small from the start. Else its being shadowed forbids the large page, once that is so.",
    until: '6.1',
    function: 'mmu/paging_tmpl.h: is_self_change_mapping',
    proof: RECORDED,
  },
  readonlySlotIsEmulated: {
    about: 'Write protection is given up for an instruction only where there is some: a write to a READONLY slot is emulated at once.',
    since: '6.12',
    function: 'mmu/mmu.c: kvm_mmu_write_protect_fault',
    proof: RECORDED,
  },
  hugeInTheWayIsSplit: {
    about: 'A huge leaf in the way of a small one becomes a table of small leaves. Else it is zapped, and its other pages fault again.',
    since: '6.12',
    function: 'mmu/tdp_mmu.c: kvm_tdp_mmu_map',
    proof: { '6.1': 'recorded', '6.12': 'read' },
  },
  rootOutsideIsDummy: {
    about: 'A root in no slot is a page of zeros, by which every access faults. Else the guest is shut down before it is entered.',
    since: '6.12',
    function: 'mmu/mmu.c: mmu_alloc_shadow_roots',
    proof: RECORDED,
  },
  suppressVe: {
    about: 'Bit 63 stands in empty entries, in the mark of removal and in all present entries of EPT.',
    since: '6.12',
    function: 'mmu/spte.h: SHADOW_NONPRESENT_VALUE',
    proof: RECORDED,
  },
} as const satisfies Readonly<Record<string, KernelRule>>;

export type KernelRuleName = keyof typeof KERNEL_RULES;

/** Which rules hold. */
export type KernelRules = Readonly<Record<KernelRuleName, boolean>>;

const ORDER = Object.keys(KERNELS) as readonly Kernel[];

export function holds({ since, until }: KernelRule, kernel: Kernel): boolean {
  const at = ORDER.indexOf(kernel);
  return (since === undefined || ORDER.indexOf(since) <= at) && (until === undefined || at <= ORDER.indexOf(until));
}

/** What a kernel does. */
export function rulesOf(kernel: Kernel): KernelRules {
  const rules = Object.entries<KernelRule>(KERNEL_RULES).map(([name, rule]) => [name, holds(rule, kernel)] as const);
  return Object.fromEntries(rules) as Record<KernelRuleName, boolean>;
}
