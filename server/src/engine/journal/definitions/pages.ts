/** Shadow pages, write tracking, roots, flushes, and stores to pages that hold tables. */
import type { Definitions } from '../definition';

/** KVM_MMU_PAGE_FIELDS */
const PAGE_FIELDS = {
  gfn: 'gfn',
  role: 'role',
  spt: ['hpa', "of the page's table"],
  root_count: 'number',
  mmu_valid_gen: ['number', 'generation that the page belongs to'],
  unsync: 'flag',
} as const;

const LEVEL = 'of the page';

export const PAGE_EVENTS = {
  kvm_mmu_get_page: {
    group: 'mmu',
    tracepoint: 'arch/x86/kvm/mmu/mmutrace.h',
    level: LEVEL,
    fields: { created: 'created', ...PAGE_FIELDS },
    changes: ['shadowPage', 'vm', 'sptes'],
    about: 'a shadow page was made or found',
  },
  kvm_mmu_sync_page: {
    group: 'mmu',
    tracepoint: 'arch/x86/kvm/mmu/mmutrace.h',
    level: LEVEL,
    fields: PAGE_FIELDS,
    changes: ['shadowPage', 'sptes'],
    about: 'an unsync shadow page is synchronized',
  },
  kvm_mmu_unsync_page: {
    group: 'mmu',
    tracepoint: 'arch/x86/kvm/mmu/mmutrace.h',
    level: LEVEL,
    fields: PAGE_FIELDS,
    changes: ['shadowPage'],
    about: 'a shadow page may go out of sync',
  },
  kvm_mmu_prepare_zap_page: {
    group: 'mmu',
    tracepoint: 'arch/x86/kvm/mmu/mmutrace.h',
    level: LEVEL,
    fields: PAGE_FIELDS,
    changes: ['shadowPage', 'vm', 'sptes'],
    about: 'a shadow page is zapped',
  },
  kvm_mmu_free_shadow_page: {
    group: 'mmu',
    level: LEVEL,
    fields: PAGE_FIELDS,
    changes: ['shadowPage'],
    about: 'a zapped shadow page is freed',
  },
  kvm_sync_page: {
    group: 'mmu',
    level: LEVEL,
    fields: PAGE_FIELDS,
    changes: ['sptes', 'shadowPage'],
    about: 'a shadow page is brought into step with the guest, or the marks above unsync ones are',
  },
  clear_sp_write_flooding_count: {
    group: 'mmu',
    level: LEVEL,
    fields: PAGE_FIELDS,
    changes: ['shadowPage'],
    about: 'a shadow page is used: emulated writes to its guest table are counted anew',
  },
  mmu_free_root_page: {
    group: 'mmu',
    level: LEVEL,
    fields: PAGE_FIELDS,
    changes: ['shadowPage'],
    about: 'a vCPU lets go of a root',
  },
  kvm_mmu_change_mmu_pages: {
    group: 'mmu',
    fields: { pages: 'count' },
    changes: ['vm'],
    about: 'the VM may have so many shadow pages',
  },
  kvm_mmu_zap_all_fast: {
    group: 'mmu',
    tracepoint: 'arch/x86/kvm/mmu/mmutrace.h',
    fields: { valid_gen: ['number', 'generation that ends'], used_pages: ['number', 'shadow pages in use'] },
    changes: ['vm', 'shadowPage'],
    about: 'all shadow pages become obsolete',
  },
  kvm_page_track_add: {
    group: 'mmu',
    fields: { gfn: 'gfn', count: ['number', 'of tables of level 2 or above in it'] },
    changes: ['track'],
    about: 'writes to a guest page are tracked: it is a table of level 2 or above',
  },
  kvm_page_track_remove: {
    group: 'mmu',
    fields: { gfn: 'gfn', count: ['number', 'of tables of level 2 or above in it'] },
    changes: ['track'],
    about: 'a guest page is taken off write tracking',
  },
  kvm_mmu_pte_write: {
    group: 'mmu',
    fields: { bytes: 'bytes', gpa: 'gpa', new: ['word', 'what is stored'] },
    changes: ['memory', 'sptes', 'shadowPage'],
    about: 'an emulated store reached guest memory',
  },
  kvm_flush_remote_tlbs: {
    group: 'mmu',
    fields: { gfn: 'gfn', pages: ['count', '0: everything'] },
    changes: [],
    about: 'translations of all vCPUs are flushed',
  },
  kvm_x86_flush_tlb: {
    group: 'mmu',
    fields: { scope: 'local_flush', vcpu: 'vcpu', gva: ['gva', 'of the scope gva'] },
    changes: [],
    about: 'a hypervisor flushes translations of a vCPU of its own; the processor has its rows beneath',
  },
  kvm_load_root: {
    group: 'mmu',
    level: 'of the root',
    fields: { root: ['hpa', 'of the table'], pgd: ['gpa', 'CR3, EPTP or nCR3 of the guest that it is for'] },
    changes: ['shadowPage', 'memory'],
    about: 'a vCPU gets another root of shadow tables or TDP',
  },
} as const satisfies Definitions;
