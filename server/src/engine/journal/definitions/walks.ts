/** Software walks of guest tables (paging_tmpl.h: walk_addr_generic). */
import type { Definitions } from '../definition';

const STAGE = ['stage', "second: L1's EPT or nested tables for L2"] as const;

export const WALK_EVENTS = {
  kvm_mmu_pagetable_walk: {
    group: 'table',
    tracepoint: 'arch/x86/kvm/mmu/mmutrace.h',
    fields: { addr: 'gva', pferr: 'pferr', stage: STAGE },
    changes: [],
    about: 'a software walk of guest tables begins',
  },
  kvm_mmu_paging_element: {
    group: 'table',
    tracepoint: 'arch/x86/kvm/mmu/mmutrace.h',
    level: 'of the entry',
    fields: { pte: 'entry', gpa: ['gpa', 'of the entry'], stage: STAGE },
    changes: [],
    about: 'the software walk read an entry',
  },
  kvm_mmu_set_accessed_bit: {
    group: 'mmu',
    tracepoint: 'arch/x86/kvm/mmu/mmutrace.h',
    level: 'of the entry',
    fields: { gpa: ['gpa', 'of the entry'] },
    changes: ['memory'],
    about: 'KVM sets A in a guest entry',
  },
  kvm_mmu_set_dirty_bit: {
    group: 'mmu',
    tracepoint: 'arch/x86/kvm/mmu/mmutrace.h',
    level: 'of the entry',
    fields: { gpa: ['gpa', 'of the entry'] },
    changes: ['memory'],
    about: 'KVM sets D in a guest entry',
  },
  kvm_mmu_walker_error: {
    group: 'fault',
    tracepoint: 'arch/x86/kvm/mmu/mmutrace.h',
    fields: { pferr: 'pferr', stage: STAGE },
    changes: [],
    about: 'the software walk failed',
  },
} as const satisfies Definitions;
