/** Exits and entries of guests, what KVM injects, and returns to the VMM. */
import type { Definitions } from '../definition';

/** TRACE_EVENT_KVM_EXIT */
const EXIT_FIELDS = {
  reason: 'exit_reason',
  info1: 'exit_info',
  info2: 'exit_info',
  intr_info: 'intr_info',
  error_code: ['pferr', 'of the exception that intr_info names'],
  rip: 'gva',
  vcpu: 'vcpu',
  guest_mode: ['flag', "1: of a guest's guest"],
} as const;

export const EXIT_EVENTS = {
  kvm_entry: {
    group: 'entry',
    tracepoint: 'arch/x86/kvm/trace.h',
    fields: {
      vcpu: 'vcpu',
      rip: 'gva',
      intr_info: ['intr_info', 'of the event that is injected'],
      error_code: 'pferr',
      guest_mode: ['flag', "1: of a guest's guest"],
    },
    changes: ['register', 'tlbTag'],
    about: 'VM entry',
  },
  kvm_exit: { group: 'exit', tracepoint: 'arch/x86/kvm/trace.h', fields: EXIT_FIELDS, changes: [], about: 'VM exit' },
  kvm_page_fault: {
    group: 'fault',
    tracepoint: 'arch/x86/kvm/trace.h',
    fields: { vcpu: 'vcpu', address: ['gva', 'guest-physical where there is a second stage'], error_code: 'fault_info' },
    changes: [],
    about: 'KVM starts to handle a page fault',
  },
  kvm_mmu_page_fault_return: {
    group: 'mmu',
    fields: { result: 'ret_pf', address: 'gva', error_code: 'fault_info' },
    changes: [],
    about: 'the page-fault handler returns',
  },
  kvm_inj_exception: {
    group: 'fault',
    tracepoint: 'arch/x86/kvm/trace.h',
    fields: { vector: 'vector', error_code: 'pferr', cr2: 'gva' },
    changes: ['register'],
    about: 'KVM injects an exception',
  },
  kvm_cr: {
    group: 'mmu',
    tracepoint: 'arch/x86/kvm/trace.h',
    fields: { cr: 'cr', value: 'word', write: 'flag' },
    changes: ['register'],
    about: 'trapped control-register access',
  },
  kvm_msr: {
    group: 'mmu',
    tracepoint: 'arch/x86/kvm/trace.h',
    fields: { msr: 'msr', value: 'word', write: 'flag' },
    changes: ['register'],
    about: 'trapped MSR access',
  },
  kvm_userspace_exit: {
    group: 'exit',
    tracepoint: 'include/trace/events/kvm.h',
    fields: { reason: 'user_exit', gpa: 'gpa', errno: ['number', 'KVM_RUN fails with it; 0: it does not fail'] },
    changes: [],
    about: 'KVM_RUN returns to the VMM',
  },
  kvm_pml_full: {
    group: 'mmu',
    tracepoint: 'arch/x86/kvm/trace.h',
    fields: { vcpu: 'vcpu' },
    changes: [],
    about: 'the PML buffer is full',
  },
  kvm_nested_vmenter: {
    group: 'entry',
    tracepoint: 'arch/x86/kvm/trace.h',
    fields: {
      nested_tdp: ['flag', 'L1 uses EPT or nested paging for L2'],
      rip: ['gva', 'of L1'],
      vmcs: ['gpa', 'of the VMCS or VMCB'],
      nested_rip: ['gva', 'of L2'],
      event_inj: ['intr_info', 'of the event that L1 injects'],
      nested_root: ['gpa', "EPTP or nCR3; without nested_tdp L2's CR3"],
    },
    changes: ['register'],
    about: 'L1 enters L2',
  },
  kvm_nested_intercepts: {
    group: 'entry',
    tracepoint: 'arch/x86/kvm/trace.h',
    fields: {
      cr_read: ['cr_mask', 'of reads'],
      cr_write: ['cr_mask', 'of writes'],
      exceptions: 'intercepts',
      intercept1: 'intercepts',
      intercept2: 'intercepts',
      intercept3: 'intercepts',
    },
    changes: [],
    about: 'what L1 intercepts of L2, as its VMCB says',
  },
  kvm_nested_vmenter_failed: {
    group: 'exit',
    tracepoint: 'arch/x86/kvm/trace.h',
    fields: { check: 'entry_check' },
    changes: [],
    about: 'L1 cannot enter L2: what KVM has checked',
  },
  kvm_nested_vmexit: { group: 'exit', tracepoint: 'arch/x86/kvm/trace.h', fields: EXIT_FIELDS, changes: [], about: 'VM exit from L2' },
  kvm_nested_vmexit_inject: {
    group: 'exit',
    tracepoint: 'arch/x86/kvm/trace.h',
    fields: {
      reason: 'exit_reason',
      info1: 'exit_info',
      info2: 'exit_info',
      intr_info: 'intr_info',
      error_code: ['pferr', 'of the exception that intr_info names'],
    },
    changes: [],
    about: 'the exit is handed to L1',
  },
} as const satisfies Definitions;
