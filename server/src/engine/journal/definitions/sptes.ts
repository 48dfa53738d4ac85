/** Entries that KVM makes and changes. */
import type { Definitions } from '../definition';

export const SPTE_EVENTS = {
  kvm_mmu_spte_requested: {
    group: 'mmu',
    tracepoint: 'arch/x86/kvm/mmu/mmutrace.h',
    level: 'of the leaf',
    fields: { gfn: 'gfn', pfn: 'pfn' },
    about: 'a leaf spte is about to be installed',
  },
  kvm_mmu_set_spte: {
    group: 'mmu',
    tracepoint: 'arch/x86/kvm/mmu/mmutrace.h',
    level: 'of the leaf',
    fields: { gfn: 'gfn', spte: 'spte', at: ['hpa', 'of the spte'] },
    about: 'a leaf spte was installed',
  },
  kvm_tdp_mmu_spte_changed: {
    group: 'mmu',
    tracepoint: 'arch/x86/kvm/mmu/mmutrace.h',
    level: 'of the entry',
    fields: { gfn: 'gfn', old_spte: 'spte', new_spte: 'spte' },
    about: 'an entry of the TDP MMU changed',
  },
  kvm_mmu_split_huge_page: {
    group: 'mmu',
    tracepoint: 'arch/x86/kvm/mmu/mmutrace.h',
    level: 'of the huge spte',
    fields: { gfn: 'gfn', spte: ['spte', 'the huge one'] },
    about: 'a huge spte was split',
  },
  fast_page_fault: {
    group: 'mmu',
    tracepoint: 'arch/x86/kvm/mmu/mmutrace.h',
    fields: { result: 'ret_pf', address: 'gpa', error_code: 'fault_info', old: 'spte', new: 'spte', sptep: ['hpa', 'of the spte'] },
    about: 'the lock-less path was tried',
  },
  rmap_write_protect: {
    group: 'mmu',
    level: 'of the sptes',
    fields: { gfn: 'gfn', shadow: ['flag', '1: for shadow paging, MMU-W goes too; 0: for the dirty log'] },
    about: 'the leaf sptes that map a guest page lose W',
  },
  kvm_unmap_hva_range: {
    group: 'mmu',
    tracepoint: 'include/trace/events/kvm.h',
    fields: { start: 'hva', end: ['hva', 'behind the range'] },
    about: 'the MMU notifier unmaps a range',
  },
} as const satisfies Definitions;
