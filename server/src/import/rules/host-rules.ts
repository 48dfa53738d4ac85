/** What the host does to a VM's memory, and what zaps more than a page. */
import { hex, plural } from '../../events/wording';
import type { Deeds } from '../episodes/deeds';
import { taskText } from '../episodes/task-text';
import type { Rules } from './rule';

/** Sptes and shadow pages. */
const zaps = ({ changes, zapped }: Deeds): number =>
  (changes?.unmapped?.count ?? 0) + (changes?.unlinked?.count ?? 0) + (zapped?.count ?? 0);

export const HOST_RULES = {
  'host-unmaps': {
    about:
      "The host unmaps memory of the VMM: the MMU notifier takes the sptes of that range, and the guest faults again. khugepaged, kswapd, ksmd, NUMA balancing or the VMM's own munmap and madvise are behind it: the task tells which.",
    sure: 'proves',
    function: 'kvm_main.c: kvm_mmu_notifier_invalidate_range_start; mmu/mmu.c: kvm_unmap_gfn_range',
    section: '4.5',
    sample: 'host-unmaps.trace',
    episode: ({ task, vcpu, deeds }) => {
      const range = deeds.unmappedRange;
      // Of shadow paging's sptes the trace does not show that they go.
      if (!range || zaps(deeds) === 0) return null;
      return () =>
        `${taskText(task, vcpu)} unmaps hva ${hex(range.start)} to ${hex(range.end)}${range.count > 1 ? ` and ${plural(range.count - 1, 'more range')}` : ''}, which takes ${plural(zaps(deeds), 'mapping')} from the VM`;
    },
  },
  'all-obsolete': {
    about:
      'All shadow pages of the VM became obsolete at once, and every access faults again: a memory slot was deleted or moved, or a setting of the module changed.',
    sure: 'proves',
    function: 'mmu/mmu.c: kvm_mmu_zap_all_fast',
    section: '4.2',
    sample: 'slot-deleted.trace',
    episode: ({ task, vcpu, deeds }) =>
      deeds.zappedAll
        ? () => `${taskText(task, vcpu)} made all shadow pages obsolete: a memory slot is deleted or moved, and every access faults again`
        : null,
  },
  'zapped-by-cr-write': {
    about:
      'A write to CR0 or CR4 zapped mappings. A change of CR0.CD does so where a device with DMA that is not coherent is assigned: memory types are chosen anew.',
    sure: 'suggests',
    function: 'x86.c: kvm_post_set_cr0 → kvm_zap_gfn_range',
    until: '6.12',
    section: '3.8',
    sample: 'cache-disable.trace',
    episode: ({ deeds }) =>
      deeds.cr?.write && zaps(deeds) > 0
        ? () => `the write of ${hex(deeds.cr!.value)} to CR${deeds.cr!.cr} zapped ${plural(zaps(deeds), 'mapping')}`
        : null,
  },
  'dirty-log-protects': {
    about:
      'Outside of faults W is taken from leaf sptes: the VMM reads or clears the dirty log, or logging begins, and the next write to each page faults.',
    sure: 'suggests',
    function: 'mmu/tdp_mmu.c: kvm_tdp_mmu_clear_dirty_pt_masked, kvm_tdp_mmu_wrprot_slot',
    section: '6.5',
    sample: 'dirty-logging.trace',
    episode: ({ task, vcpu, exit, fault, deeds }) => {
      const taken = deeds.changes?.['write-protected'];
      if (!taken || exit || fault) return null;
      return () => `${taskText(task, vcpu)} write-protected ${plural(taken.count, 'spte')} from gfn ${hex(taken.from ?? 0)}: the dirty log`;
    },
  },
} satisfies Rules;
