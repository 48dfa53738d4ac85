/** VMs, their vCPUs, memory slots and dirty logs, and the memory of their VMM. */
import type { VM_EVENTS } from '../../engine/journal/definitions/vm';
import { valueName } from '../decode';
import { bytes, hex, joined, plural } from '../wording';
import { gfnText, type Words } from './words';

export const VM_WORDS: Words<keyof typeof VM_EVENTS> = {
  kvm_create_vm: ({ fields: { vm } }) => `VM ${vm}`,
  kvm_vcpu_reset: ({ fields: { vcpu } }) => `vCPU ${vcpu}`,
  kvm_set_memslot: ({ fields: { change, slot, gpa, size, hva } }) =>
    joined(`slot ${slot & 0xffff}`, valueName('memslot_change', change), `gpa ${hex(gpa)} +${bytes(Number(size))}`, `hva ${hex(hva)}`),
  kvm_get_dirty_log: ({ fields: { slot, first, pages, clear } }) =>
    clear ? `slot ${slot & 0xffff}: ${plural(Number(pages), 'page')} from ${first} cleared` : `slot ${slot & 0xffff}`,
  mark_page_dirty: gfnText,
  vmx_update_cpu_dirty_logging: ({ fields: { vcpu } }) => `vCPU ${vcpu}`,
  vmx_flush_pml_buffer: ({ fields: { pages } }) => plural(Number(pages), 'page'),
  nested_vmx_write_pml_buffer: ({ fields: { gpa, to } }) => `gpa ${hex(gpa)} into L1's log at ${hex(to)}`,
  control_write: ({ fields: { address } }) => `at gpa ${hex(address)}`,
  host_mm: ({ fields: { operation, hva, size } }) => `${valueName('host_mm', operation)} hva ${hex(hva)} +${bytes(Number(size))}`,
  vmm_write: ({ fields: { gpa, size } }) => `gpa ${hex(gpa)} +${bytes(Number(size))}`,
};
