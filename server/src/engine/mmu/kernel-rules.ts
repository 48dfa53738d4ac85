/**
 * Where kernels differ: one table of rules. The engine asks for a rule by its name and knows no kernel. A kernel more is a name in
 * `KERNELS` and its proof in each rule, which none can leave out. Functions are those of arch/x86/kvm in the kernel that has the rule.
 */
import { KERNELS, type Kernel, type KvmOptions } from '../program';

/** How it is known what a kernel does: from recordings of it, or from its source alone. */
type Proof = 'recorded' | 'read';

export interface KernelRule {
  /** What is so where the rule holds. */
  readonly about: string;
  /** First kernel in which it holds; absent: it always has. */
  readonly since?: Kernel;
  /** First kernel in which it does not hold any more; absent: it still does. */
  readonly until?: Kernel;
  /** Where in arch/x86/kvm. */
  readonly function: string;
  readonly proof: { readonly [kernel in Kernel]: Proof };
}

const RECORDED_OLD = { '6.1': 'recorded', '6.12': 'read' } as const;
const READ = { '6.1': 'read', '6.12': 'read' } as const;
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
    until: '6.12',
    function: 'mmu/paging_tmpl.h: is_self_change_mapping',
    proof: RECORDED,
  },
  writeProtectedResult: {
    about:
      'A write that must not be made because the page holds a shadowed guest table returns WRITE_PROTECTED. Else it returns EMULATE, as other faults do.',
    since: '6.12',
    function: 'mmu/mmu_internal.h: RET_PF_WRITE_PROTECTED',
    proof: RECORDED,
  },
  writeProtectFault: {
    about:
      'The protection of a guest table is given up for an instruction that hardly writes tables only after a write to a table that is shadowed, and not twice for the same instruction and address until another such write comes. Else it is given up after every fault that is emulated, once, and again after any other emulated instruction.',
    since: '6.12',
    function: 'mmu/mmu.c: kvm_mmu_write_protect_fault',
    proof: RECORDED,
  },
  hugeInTheWayIsSplit: {
    about: 'A huge leaf in the way of a small one becomes a table of small leaves. Else it is zapped, and its other pages fault again.',
    since: '6.12',
    function: 'mmu/tdp_mmu.c: kvm_tdp_mmu_map',
    proof: RECORDED_OLD,
  },
  teardownByLevels: {
    about:
      'When a root of the TDP MMU goes, all its entries of level 1 go first, then those of level 2, of level 3 and the top: a table is empty when it is taken out. Else an entry of level 3 takes all with it that hangs below.',
    since: '6.12',
    function: 'mmu/tdp_mmu.c: tdp_mmu_zap_root',
    proof: RECORDED,
  },
  zapToldAfterFlush: {
    about:
      'A single entry of the TDP MMU that is zapped is reported, as empty, when translations are flushed and it can be used again. Else it is reported with the mark of removal, before.',
    since: '6.12',
    function: 'mmu/tdp_mmu.c: tdp_mmu_zap_spte_atomic',
    proof: RECORDED_OLD,
  },
  rootOutsideIsDummy: {
    about: 'A root in no slot is a page of zeros, by which every access faults. Else the guest is shut down before it is entered.',
    since: '6.12',
    function: 'mmu/mmu.c: mmu_alloc_shadow_roots',
    proof: RECORDED,
  },
  wpNeedsPaging: {
    about: 'CR0.WP alone, changed without paging, changes nothing. Else all roots go, and their pages are found again.',
    since: '6.12',
    function: 'regs.c: kvm_post_set_cr0',
    proof: READ,
  },
  slotZapAllIsQuirk: {
    about:
      'That a slot which goes takes everything of the VM with it is a quirk, which the VMM can do without (KVM_X86_QUIRK_SLOT_ZAP_ALL): then only leaves of its frames go, and shadow pages of guest tables in it.',
    since: '6.12',
    function: 'mmu/mmu.c: kvm_arch_flush_shadow_memslot',
    proof: RECORDED,
  },
  eagerSplitHasLast: {
    about:
      'Clearing a part of a dirty log that was full from the start divides the huge page of the last page, too, before it is written. Else not, when that page is the first of its huge page.',
    since: '6.12',
    function: 'mmu/mmu.c: kvm_arch_mmu_enable_log_dirty_pt_masked',
    proof: READ,
  },
  changePteIsNotified: {
    about:
      'When the host puts a copy in place of a shared page, the MMU notifier hears of that too (kvm_set_spte_hva), after the range was unmapped.',
    until: '6.12',
    function: 'mmu/mmu.c: kvm_set_spte_gfn',
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
  return (since === undefined || ORDER.indexOf(since) <= at) && (until === undefined || at < ORDER.indexOf(until));
}

/** What a kernel does, but for rules that are set apart from it. */
export function rulesOf(kernel: Kernel, but: KvmOptions['rules'] = {}): KernelRules {
  const rules = Object.entries<KernelRule>(KERNEL_RULES).map(([name, rule]) => [name, but[name] ?? holds(rule, kernel)] as const);
  return Object.fromEntries(rules) as Record<KernelRuleName, boolean>;
}
