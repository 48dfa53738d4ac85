/** Texts of arch/x86/kvm/trace.h and include/trace/events/kvm.h. */
import type { EXIT_EVENTS } from '../../engine/journal/definitions/exits';
import type { TracepointName } from '../../engine/journal/event-table';
import { exitReason } from './exit-reasons';
import {
  beside,
  dec,
  either,
  errorCode,
  hex,
  hex16,
  hex8,
  instruction,
  message,
  mmioType,
  nestedRoot,
  padded,
  sharp,
  symbol,
  userExit,
  vector,
  vendor,
} from './holes';
import { ENTRY_CHECKS_6_1, ENTRY_CHECKS_6_12 } from './entry-checks';
import { followed, text } from './text';
import type { KernelTexts } from './versions';

const OF_LAST_EXIT = 'of the last exit';
const requests = beside(hex16('requests'), '0: none is pending');
const immediate = beside(either('immediate_exit', '[immediate exit]', ''), '0: no vCPU is asked to leave at once');
const reinjected = beside(either('reinjected', ' [reinjected]', ''), '0: a fault during delivery is handled before the next entry');
const intControl = beside(hex8('int_ctl'), '0: no virtual interrupts');
const failedEntry = beside(either('failed_vmentry', ' FAILED_VMENTRY', ''), '0: entries that VMX refuses are no exits here');

const exception = beside(either('exception', ' (#GP)', ''), '0: refused values have no event');

const EXIT_OLD = text`reason ${exitReason('reason')}${failedEntry} rip 0x${hex('rip')} info ${hex('info1')} ${hex('info2')}`;

/** TRACE_EVENT_KVM_EXIT */
const EXIT = text`vcpu ${dec('vcpu')} reason ${exitReason('reason')}${failedEntry} rip 0x${hex('rip')} info1 0x${hex16('info1')} info2 0x${hex16('info2')} intr_info 0x${hex8('intr_info')} error_code 0x${hex8('error_code')}`;
const EXITS = [
  { since: '5.10', until: '6.14', text: EXIT },
  { since: '6.14', text: followed(EXIT, text` requests 0x${requests}`) },
] as const;

const INJECTED = text`ext_inf1: 0x${hex16('info1')} ext_inf2: 0x${hex16('info2')} ext_int: 0x${hex8('intr_info')} ext_int_err: 0x${hex8('error_code')}`;

export const EXIT_TEXTS: KernelTexts<Extract<keyof typeof EXIT_EVENTS, TracepointName>> = {
  kvm_entry: [
    { until: '5.10', text: text`vcpu ${dec('vcpu')}` },
    { since: '5.10', until: '6.14', text: text`vcpu ${dec('vcpu')}, rip 0x${hex('rip')}${immediate}` },
    {
      since: '6.14',
      text: text`vcpu ${dec('vcpu')}, rip 0x${hex('rip')} intr_info 0x${hex8('intr_info')} error_code 0x${hex8('error_code')}${immediate}`,
    },
  ],
  kvm_exit: [
    { until: '5.5', text: EXIT_OLD },
    { since: '5.5', until: '5.10', text: followed(text`vcpu ${dec('vcpu')} `, EXIT_OLD) },
    ...EXITS,
  ],
  kvm_page_fault: [
    { until: '6.0', text: text`address ${hex('address')} error_code ${hex('error_code')}` },
    {
      since: '6.0',
      text: text`vcpu ${dec('vcpu')} rip 0x${beside(hex('rip'), OF_LAST_EXIT)} address 0x${hex16('address')} error_code 0x${hex('error_code')}`,
    },
  ],
  kvm_inj_exception: [
    { until: '6.0', text: text`${vector('vector')} (0x${hex('error_code')})` },
    { since: '6.0', text: text`${vector('vector')}${errorCode}${reinjected}` },
  ],
  kvm_cr: [{ text: text`cr_${either('write', 'write', 'read')} ${hex('cr')} = 0x${hex('value')}` }],
  kvm_msr: [{ text: text`msr_${either('write', 'write', 'read')} ${hex('msr')} = 0x${hex('value')}${exception}` }],
  kvm_userspace_exit: [{ text: text`reason ${userExit}` }],
  kvm_pml_full: [{ text: text`vcpu ${dec('vcpu')}: PML full` }],
  kvm_nested_vmenter: [
    {
      text: text`rip: 0x${hex16('rip')} ${vendor('vmcs', 'vmcb')}: 0x${hex16('vmcs')} nested_rip: 0x${hex16('nested_rip')} int_ctl: 0x${intControl} event_inj: 0x${hex8('event_inj')} nested_${vendor('ept', 'npt')}=${either('nested_tdp', 'y', 'n')} ${nestedRoot}`,
    },
  ],
  kvm_nested_intercepts: [
    {
      text: text`cr_read: ${padded('cr_read', 4)} cr_write: ${padded('cr_write', 4)} excp: ${hex8('exceptions')} intercepts: ${hex8('intercept1')} ${hex8('intercept2')} ${hex8('intercept3')}`,
    },
  ],
  kvm_nested_vmenter_failed: [
    { until: '6.12', text: text`${message('check', ENTRY_CHECKS_6_1)}` },
    { since: '6.12', text: text`${message('check', ENTRY_CHECKS_6_12)}` },
  ],
  kvm_nested_vmexit: [
    { until: '5.10', text: followed(text`rip: 0x${hex16('rip')} reason: ${exitReason('reason')}${failedEntry} `, INJECTED) },
    ...EXITS,
  ],
  kvm_nested_vmexit_inject: [{ text: followed(text`reason: ${exitReason('reason')}${failedEntry} `, INJECTED) }],
};

/** kvm_trace_symbol_emul_flags */
export const CODE_MODES = ['real', 'vm16', 'prot16', 'prot32', 'prot64'] as const;

export const EMULATION_TEXTS: KernelTexts<'kvm_emulate_insn' | 'vcpu_match_mmio' | 'kvm_mmio'> = {
  kvm_emulate_insn: [
    {
      text: text`${beside(hex('csbase'), '0: code segments begin at 0')}:${hex('rip')}:${instruction} (${beside(symbol('code_mode', CODE_MODES), 'long mode or not, by the registers')})${either('failed', ' failed', '')}`,
    },
  ],
  vcpu_match_mmio: [
    { text: text`gva ${sharp('gva')} gpa ${sharp('gpa')} ${either('write', 'Write', 'Read')} ${either('gpa_match', 'GPA', 'GVA')}` },
  ],
  kvm_mmio: [{ text: text`mmio ${mmioType('type')} len ${dec('len')} gpa 0x${hex('gpa')} val 0x${hex('val')}` }],
};

/** %#016lx: sixteen characters with the `0x`. */
export const RANGE_DIGITS = 14;

export const NOTIFIER_TEXTS: KernelTexts<'kvm_unmap_hva_range' | 'kvm_set_spte_hva'> = {
  kvm_set_spte_hva: [{ until: '6.12', text: text`mmu notifier set pte hva: 0x${padded('hva', RANGE_DIGITS)}` }],
  kvm_unmap_hva_range: [{ text: text`mmu notifier unmap range: 0x${padded('start', RANGE_DIGITS)} -- 0x${padded('end', RANGE_DIGITS)}` }],
};
