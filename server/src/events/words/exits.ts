/** Exits, entries, what KVM injects, returns to the VMM. */
import type { EXIT_EVENTS } from '../../engine/journal/definitions/exits';
import { Actor } from '../../engine/journal/events';
import type { Program } from '../../engine/program';
import { exitReason, valueName } from '../decode';
import type { EventOf } from '../fields';
import { nested } from '../guests';
import { hex, joined } from '../wording';
import { exitInformation, faultInformation, flags } from './codes';
import type { Words } from './words';

/** Whose exit or entry it is, where there are two guests. */
const guestOf = ({ actor, fields }: EventOf<'kvm_entry' | 'kvm_exit'>, { machine }: Program): string | false =>
  nested(machine) && (actor === Actor.L1 || fields.guest_mode !== 0 ? 'L2' : 'L1');

const exit = (event: EventOf<'kvm_exit' | 'kvm_nested_vmexit' | 'kvm_nested_vmexit_inject'>, program: Program): string =>
  joined(exitReason(event, program), exitInformation(event, program));

const crNames = (mask: number, way: string): string[] => {
  const numbers = Array.from({ length: 16 }, (_, cr) => cr).filter((cr) => (mask & (1 << cr)) !== 0);
  return numbers.length === 0 ? [] : [`moves ${way} ${numbers.map((cr) => `CR${cr}`).join(' ')}`];
};

export const EXIT_WORDS: Words<keyof typeof EXIT_EVENTS> = {
  kvm_entry: (event, program) => {
    const { intr_info, error_code } = event.fields;
    const guest = guestOf(event, program);
    const fault = intr_info !== 0 && `with ${valueName('vector', intr_info & 0xff)} ${flags(error_code)}`;
    return [guest && `into ${guest}`, fault].filter(Boolean).join(', ');
  },
  kvm_exit: (event, program) => joined(guestOf(event, program) && `from ${guestOf(event, program)}`, exit(event, program)),
  kvm_page_fault: (event, program) => `${hex(event.fields.address)}, ${faultInformation(event, program)}`,
  kvm_mmu_page_fault_return: ({ fields: { result, address } }) => joined(valueName('ret_pf', result), hex(address)),
  kvm_inj_exception: ({ fields: { vector, error_code, cr2 } }) => `${valueName('vector', vector)} ${flags(error_code)}, cr2 ${hex(cr2)}`,
  kvm_cr: ({ fields: { cr, value, write } }) => `${write ? 'write' : 'read'} CR${cr} = ${hex(value)}`,
  kvm_msr: ({ fields: { msr, value, write } }) => `${write ? 'write' : 'read'} MSR ${hex(msr)} = ${hex(value)}`,
  kvm_userspace_exit: ({ fields: { reason, gpa, errno } }) =>
    errno ? `KVM_RUN fails with errno ${errno}` : joined(valueName('user_exit', reason), gpa !== 0n && `gpa ${hex(gpa)}`),
  kvm_pml_full: () => 'the PML buffer is full',
  kvm_nested_vmenter: ({ fields: { nested_tdp, nested_root, event_inj } }, program) => {
    const root = !nested_tdp ? 'CR3' : program.machine.host.vendor === 'intel' ? 'EPTP' : 'nCR3';
    return joined(`${root} ${hex(nested_root)}`, event_inj !== 0 && `event ${hex(event_inj)}`);
  },
  kvm_nested_intercepts: ({ fields }) => {
    const { exceptions, intercept1, intercept2, intercept3 } = fields;
    const crs = [...crNames(fields.cr_read, 'from'), ...crNames(fields.cr_write, 'to')].join(', ');
    return joined(crs, `exceptions ${hex(exceptions)}`, [intercept1, intercept2, intercept3].map(hex).join(' '));
  },
  kvm_nested_vmenter_failed: ({ fields: { check } }) => valueName('entry_check', check),
  kvm_nested_vmexit: (event, program) => `L0's raw exit from L2 · ${exit(event, program)}`,
  kvm_nested_vmexit_inject: (event, program) => `what L1 sees · ${exit(event, program)}`,
};
