/** VMs, their vCPUs, memory slots and dirty logs, and the memory of their VMM. */
import type { Definitions } from '../definition';

export const VM_EVENTS = {
  kvm_create_vm: { group: 'other', fields: { vm: 'number' }, changes: ['vm'], about: 'a VM is made' },
  kvm_vcpu_reset: {
    group: 'other',
    fields: { vcpu: 'vcpu' },
    changes: ['register', 'tlbTag'],
    about: 'a vCPU is made, with registers as they are declared',
  },
  kvm_set_memslot: {
    group: 'mmu',
    fields: { change: 'memslot_change', slot: ['number', 'bits 31:16: address space'], gpa: 'gpa', size: ['count', 'bytes'], hva: 'hva' },
    changes: ['slot', 'vm', 'dirtyLog'],
    about: 'a memory slot changes, and with it the generation of the slots',
  },
  kvm_get_dirty_log: {
    group: 'mmu',
    fields: {
      slot: ['number', 'bits 31:16: address space'],
      first: ['count', 'page of the slot'],
      pages: 'count',
      clear: ['flag', '1: KVM_CLEAR_DIRTY_LOG'],
    },
    changes: ['dirtyLog'],
    about: 'the VMM gets a dirty log, or clears a part of it: its pages are tracked again',
  },
  mark_page_dirty: { group: 'mmu', fields: { gfn: 'gfn' }, changes: ['dirtyLog'], about: 'a guest page is dirty in the log of its slot' },
  vmx_update_cpu_dirty_logging: { group: 'mmu', fields: { vcpu: 'vcpu' }, changes: ['register'], about: 'a vCPU gets a PML buffer' },
  vmx_flush_pml_buffer: {
    group: 'mmu',
    fields: { vcpu: 'vcpu', pages: ['count', 'in the buffer'] },
    changes: ['dirtyLog', 'register'],
    about: 'what the processor logged in the PML buffer goes into the dirty logs',
  },
  nested_vmx_write_pml_buffer: {
    group: 'mmu',
    fields: { gpa: ['gpa', 'of L2: the page that becomes dirty'], to: ['gpa', 'of L1: the entry of its log'] },
    changes: ['memory', 'register'],
    about: 'L0 logs a page of L2 for an L1 that uses PML',
  },
  control_write: {
    group: 'other',
    fields: { address: ['gpa', 'of the VMCS or VMCB'] },
    changes: ['register'],
    about: 'a hypervisor that the script plays has written its control structure',
  },
  host_mm: {
    group: 'other',
    fields: { operation: 'host_mm', hva: 'hva', size: ['count', 'bytes'] },
    changes: ['hostPage', 'hostArea', 'memory'],
    about: "the host's kernel changes what is behind virtual addresses of the VMM",
  },
  vmm_write: {
    group: 'other',
    fields: { gpa: 'gpa', size: ['count', 'bytes'] },
    changes: ['memory'],
    about: 'the VMM stores into the memory behind a slot',
  },
} as const satisfies Definitions;
