/**
 * What `kvm_stat` counts of the host's KVM, by its names: fields of struct kvm_vcpu_stat and struct kvm_vm_stat
 * (arch/x86/include/asm/kvm_host.h). How rows count: events/totals/statistics.ts. Fields whose place in KVM no row tells are not here.
 */

interface Statistic {
  readonly about: string;
  /** Kernel file, below arch/x86/kvm where it says no other, and function that counts. */
  readonly function: string;
}

export const STATISTICS = {
  exits: { about: 'VM exits', function: 'x86.c: vcpu_enter_guest' },
  pf_taken: {
    about: 'page faults that the handler took',
    function: 'mmu/mmu_internal.h: kvm_mmu_do_page_fault (6.12: mmu/mmu.c: kvm_mmu_page_fault)',
  },
  pf_fixed: {
    about: 'page faults for which an spte was made',
    function: 'mmu/mmu_internal.h: kvm_mmu_do_page_fault (6.12: mmu/mmu.c: kvm_mmu_page_fault)',
  },
  pf_emulate: {
    about: 'page faults that ended in emulation',
    function: 'mmu/mmu_internal.h: kvm_mmu_do_page_fault (6.12: mmu/mmu.c: kvm_mmu_page_fault)',
  },
  pf_spurious: {
    about: 'page faults whose spte was there already',
    function: 'mmu/mmu_internal.h: kvm_mmu_do_page_fault (6.12: mmu/mmu.c: kvm_mmu_page_fault)',
  },
  pf_fast: { about: 'page faults fixed without the lock', function: 'mmu/mmu.c: fast_page_fault' },
  pf_mmio_spte_created: {
    about: 'MMIO sptes that faults made',
    function: 'mmu/mmu.c: mmu_set_spte; mmu/tdp_mmu.c: tdp_mmu_map_handle_target_level',
  },
  pf_guest: { about: '#PF that KVM gives to the guest', function: 'x86.c: kvm_inject_page_fault' },
  tlb_flush: {
    about: 'flushes of a vCPU that were asked for, of all, of the current root or for the guest',
    function: 'x86.c: kvm_vcpu_flush_tlb_all, kvm_vcpu_flush_tlb_current, kvm_vcpu_flush_tlb_guest',
  },
  mmio_exits: { about: 'returns to the VMM for MMIO', function: 'x86.c: x86_emulate_instruction' },
  insn_emulation: { about: 'instructions that KVM decoded to emulate them', function: 'x86.c: x86_decode_emulated_instruction' },
  insn_emulation_fail: { about: 'instructions that KVM could not emulate', function: 'x86.c: handle_emulation_failure' },
  nested_run: { about: 'entries of L1 into L2 that succeeded', function: 'vmx/vmx.c: vmx_vcpu_run; svm/svm.c: svm_vcpu_run' },
  mmu_shadow_zapped: { about: 'shadow pages zapped', function: 'mmu/mmu.c: __kvm_mmu_prepare_zap_page' },
  mmu_cache_miss: { about: 'shadow pages that were not there and were made', function: 'mmu/mmu.c: kvm_mmu_find_shadow_page' },
  mmu_pte_write: { about: 'emulated stores to guest memory while guest tables are shadowed', function: 'mmu/mmu.c: kvm_mmu_pte_write' },
  mmu_unsync: {
    about: 'shadow pages that are unsync: how many more there are',
    function: 'mmu/mmu.c: kvm_unsync_page, kvm_unlink_unsync_page',
  },
  remote_tlb_flush_requests: { about: 'flushes of all vCPUs that were asked for', function: 'virt/kvm/kvm_main.c: kvm_flush_remote_tlbs' },
} as const satisfies { readonly [name: string]: Statistic };

export type StatisticName = keyof typeof STATISTICS;
export const STATISTIC_NAMES = Object.keys(STATISTICS) as readonly StatisticName[];
