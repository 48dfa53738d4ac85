/** What became of a page fault, where the trace does not say it. */
import { Pte } from '../../engine/x86/entries';
import { hex, plural } from '../../events/wording';
import type { Episode } from '../episodes/episode';
import type { Folded } from '../folding/run';
import type { RuleContext, Rules } from './rule';

/** KVM took up a fault and let the guest go on without anything that would be seen of an answer. */
function leavesNothing({ exit, fault, nested, deeds, ends }: Episode): boolean {
  if (!fault || ends !== 'entry' || exit?.reason === 'EPT_MISCONFIG') return false;
  if (deeds.fast && deeds.fast.result !== 'refused') return false;
  const { requested, mapped, changes, mmioSpte, mmioCache, mmio, emulated, injected, userspace, toL1, waits, walks } = deeds;
  if (requested || mapped || changes || mmioSpte || mmioCache || mmio || emulated || injected || userspace || toL1 || waits) return false;
  return !nested && !walks?.some(({ error }) => error !== null);
}

/** It asked for a mapping, and no entry changed. */
function changesNothing({ fault, deeds, ends }: Episode, { recording }: RuleContext): boolean {
  if (!deeds.requested || ends !== 'entry' || deeds.mmioSpte || deeds.emulated) return false;
  if (deeds.changes) return false;
  // The TDP MMU prints the entry that it finds, too; its changes tell. Shadow pages, of a guest's guest too, print what they set.
  return !deeds.mapped || (fault?.space === 'gpa' && !recording.nested && recording.names.has('kvm_tdp_mmu_spte_changed'));
}

const again = ({ body }: Folded): string =>
  body[0].count > 1
    ? `the same fault comes ${plural(body[0].count, 'time')}`
    : `the guest faults at the instruction at which it was entered`;

const only = (loop: Folded): Episode | null => (loop.body.length === 1 && loop.body[0].stays ? loop.body[0].first : null);

const at = ({ fault }: Episode): string => (fault ? `${fault.space} ${hex(fault.address)}` : 'the address');

export const PAGE_FAULT_RULES = {
  'retry-before-mapping': {
    about:
      'A `kvm_page_fault` without `kvm_mmu_spte_requested`, fast fix, MMIO, emulation or injection was answered with RET_PF_RETRY before KVM looked at its tables: what it had read of the host is out of date (`is_page_fault_stale`), or its root is.',
    sure: 'proves',
    function: 'mmu/mmu.c: direct_page_fault (6.1), kvm_tdp_mmu_page_fault (6.12): is_page_fault_stale',
    section: '6.2',
    sample: 'stale-fault-loop.trace',
    episode: (episode, { recording }) =>
      recording.hasMmuEvents && leavesNothing(episode)
        ? () => `KVM answered the fault at ${at(episode)} with RET_PF_RETRY before it asked for a mapping`
        : null,
  },
  'retry-for-ever': {
    about:
      'The same fault, retried before mapping again and again: what `is_page_fault_stale` looks at does not change. An MMU notifier began and does not end (`mmu_invalidate_in_progress`), an obsolete root is not loaded anew, or the sequence of invalidations has passed 2³¹ in a kernel that keeps it in an `int` (6.1.24 does, 6.1.192 does not any more).',
    sure: 'suggests',
    function: 'mmu/mmu.c: is_page_fault_stale; kvm_host.h: mmu_invalidate_retry_hva (6.1), mmu_invalidate_retry_gfn (6.12)',
    section: '6.2',
    sample: 'stale-fault-loop.trace',
    loop: (loop, { recording }) => {
      const episode = only(loop);
      if (!episode || !leavesNothing(episode)) return null;
      const unseen = recording.hasMmuEvents
        ? ''
        : ' (events of `kvmmmu` are not in the trace: record them too, to see whether KVM asks for a mapping)';
      return () =>
        `the fault at ${at(episode)} comes ${loop.body[0].count > 1 ? 'again and again' : 'again'} and KVM maps nothing${unseen}: its sequence of invalidations, or its root, looks out of date every time`;
    },
  },
  'page-awaited': {
    about:
      'The page behind the address is not in memory: KVM has it brought in and lets the guest go on, halted or told of it (asynchronous page fault).',
    sure: 'proves',
    function: 'mmu/mmu.c: __kvm_faultin_pfn, kvm_arch_setup_async_pf',
    section: '4.5',
    sample: 'page-awaited.trace',
    episode: (episode) => (episode.deeds.waits ? () => `the page behind ${at(episode)} is swapped out: KVM has it brought in` : null),
  },
  'spurious-fault': {
    about:
      'The lock-less path found that the spte allows the access already: the processor used an older translation, or another vCPU has just fixed it (RET_PF_SPURIOUS).',
    sure: 'proves',
    function: 'mmu/mmu.c: fast_page_fault, is_access_allowed',
    since: '5.10',
    section: '6.2',
    sample: 'spurious-loop.trace',
    episode: (episode) =>
      episode.deeds.fast?.result === 'spurious'
        ? () => `spte ${hex(episode.deeds.fast!.now)} allows the access at ${at(episode)} already`
        : null,
  },
  'spurious-for-ever': {
    about:
      "The same fault is spurious again and again: KVM's entries are right, and something below does not act on them. That is the hypervisor under a nested host, a TLB that is not flushed, or a processor that walks other tables than those that KVM writes.",
    sure: 'suggests',
    function: 'mmu/mmu.c: fast_page_fault; mmu/tdp_mmu.c: tdp_mmu_map_handle_target_level; mmu/mmu.c: mmu_set_spte',
    section: '6.2',
    sample: 'spurious-loop.trace',
    loop: (loop, context) => {
      const episode = only(loop);
      if (!episode?.fault) return null;
      const spurious = episode.deeds.fast?.result === 'spurious';
      if (!spurious && !changesNothing(episode, context)) return null;
      return () =>
        `KVM's entry for ${at(episode)} ${spurious ? 'allows the access' : 'is there'}, yet ${again(loop)}: what stands below KVM does not act on its tables (a hypervisor under this host, a TLB, another root)`;
    },
  },
  'mapped-already': {
    about:
      'KVM asked for a mapping and no entry changed: the entry was there (RET_PF_SPURIOUS), or another task was just taking it away (a frozen spte: RET_PF_RETRY).',
    sure: 'suggests',
    function: 'mmu/tdp_mmu.c: tdp_mmu_map_handle_target_level; mmu/mmu.c: mmu_set_spte',
    section: '6.2',
    sample: 'mapped-already.trace',
    episode: (episode, context) =>
      changesNothing(episode, context)
        ? () =>
            `gfn ${hex(episode.deeds.requested!.gfn)} was mapped when KVM came to map it: another vCPU was faster, or the processor does not see the entry`
        : null,
  },
  'asked-again': {
    about:
      'KVM is asked for a page that it has mapped before and that nobody has zapped: the processor does not use the entry. It walks another root or another number of levels than KVM built, its TLB keeps that there is nothing, or the access wants more than the entry allows.',
    sure: 'suggests',
    function: 'mmu/mmu.c: direct_map; mmu/tdp_mmu.c: kvm_tdp_mmu_map',
    section: '6.2',
    sample: 'asked-again.trace',
    episode: (episode, { recording }) => {
      const before = recording.memory.mappedBefore(episode);
      if (!before || recording.mmu === 'soft' || recording.nested) return null;
      if (episode.fault?.code.write && (before.spte & BigInt(Pte.writable)) === 0n) return null;
      return () =>
        `gfn ${hex(episode.deeds.requested!.gfn)} is asked for again, though line ${before.line} mapped it (spte ${hex(before.spte)}) and nobody zapped it: the processor does not use that entry`;
    },
  },
  'writable-again': {
    about:
      'The lock-less path gave W back to a write-protected spte that KVM may make writable (MMU-writable): its page was write-protected for the dirty log.',
    sure: 'proves',
    function: 'mmu/mmu.c: fast_page_fault, fast_pf_fix_direct_spte',
    section: '6.5',
    sample: 'dirty-logging.trace',
    episode: ({ deeds, fault }) => {
      const { fast } = deeds;
      if (fast?.result !== 'fixed' || !fault?.code.write || (fast.now & ~fast.old & BigInt(Pte.writable)) === 0n) return null;
      return () =>
        `the page at ${fault.space} ${hex(fault.address)} was write-protected to log that it becomes dirty, and is writable again`;
    },
  },
  'huge-leaf-over-table': {
    about:
      'A fault put a leaf of a higher level where a table of small pages stood: the small leaves under it went with the table, whatever they mapped.',
    sure: 'proves',
    function: 'mmu/tdp_mmu.c: tdp_mmu_map_handle_target_level, handle_removed_pt',
    section: '4.6',
    sample: 'huge-leaf-over-table.trace',
    episode: ({ deeds }) => {
      const collapsed = deeds.changes?.collapsed;
      if (!collapsed) return null;
      const gone = deeds.changes?.unmapped?.count ?? 0;
      const level = Object.keys(collapsed.levels).join(', ');
      return () =>
        `a leaf of level ${level} from gfn ${hex(collapsed.from ?? 0)} replaced a table: ${plural(gone, 'smaller leaf spte')} went with it`;
    },
  },
  'nx-huge-page': {
    about:
      'A fetch from a huge page that is mapped without X is answered with a small page that has X: on processors with the iTLB multihit erratum KVM lets nobody execute from huge pages (`nx_huge_pages`).',
    sure: 'suggests',
    function: 'mmu/mmu.c: kvm_mmu_hugepage_adjust, disallowed_hugepage_adjust',
    since: '5.4',
    section: '4.6',
    sample: 'nx-huge-page.trace',
    episode: ({ fault, deeds }) => {
      if (!fault?.code.fetch || !fault.code.present || deeds.requested?.level !== 1) return null;
      const { split, unlinked, linked, unmapped } = deeds.changes ?? {};
      if (!deeds.mapped || !(split || unlinked || linked || unmapped)) return null;
      return () =>
        `the guest executes from a huge page at ${fault.space} ${hex(fault.address)}, which KVM maps without X: it becomes small ones`;
    },
  },
  'no-memory-behind': {
    about: 'KVM_RUN failed with EFAULT: the host has no page for the address of the slot, or may not write to it.',
    sure: 'proves',
    function: 'mmu/mmu.c: handle_abnormal_pfn, kvm_handle_bad_page (6.1), kvm_handle_error_pfn (6.12)',
    section: '4.5',
    sample: 'no-memory-behind.trace',
    episode: (episode) =>
      episode.deeds.userspace?.errno === EFAULT ? () => `the host has no page behind ${at(episode)}: KVM_RUN fails with EFAULT` : null,
  },
} satisfies Rules;

/** Linux's number of it. */
const EFAULT = 14;
