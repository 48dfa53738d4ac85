/** Tracepoints of KVM that stand beside ours in recordings and that nothing here causes. They are not printed, but can be read. */
import type { TraceHeader } from '../../engine/journal/definition';
import { dec, either, flagsAfter, hex, hex16, hex8, padded, sharp } from './holes';
import { followed, text } from './text';
import { RANGE_DIGITS } from './trace-texts';
import type { Version } from './versions';

interface OtherText {
  readonly header: TraceHeader;
  /** Why no run has it. */
  readonly why: string;
  readonly versions: readonly Version<string>[];
}

const NO_SWAP = 'what KVM reads is there at once: no page is waited for';
const NO_INTERRUPTS = 'there are no interrupts';
const NO_DIRTY_RING = 'dirty pages are logged in bitmaps and by PML; there is no ring';
const NO_HARDWARE_AGING = 'aging has no event of its own: its sptes and flushes do';
const INHIBITED = text`${either('set', 'set', 'cleared')} reason=${dec('reason')}, inhibits=0x${hex('inhibits')}`;

/** APICV_INHIBIT_REASONS that occur on x86 hosts without SEV. */
const INHIBIT_REASONS = [
  'DISABLED',
  'HYPERV',
  'ABSENT',
  'BLOCKIRQ',
  'PHYSICAL_ID_ALIASED',
  'APIC_ID_MODIFIED',
  'APIC_BASE_MODIFIED',
  'NESTED',
  'IRQWIN',
  'PIT_REINJ',
  'SEV',
  'LOGICAL_ID_ALIASED',
].map((name, bit) => [1n << BigInt(bit), name] as const);

export const OTHER_TEXTS = {
  kvm_pio: {
    header: 'arch/x86/kvm/trace.h',
    why: 'there is no port I/O',
    versions: [
      {
        text: text`pio_${either('rw', 'write', 'read')} at 0x${hex('port')} size ${dec('size')} count ${dec('count')} val 0x${hex('val')} ${either('more', '(...)', '')}`,
      },
    ],
  },
  kvm_apicv_inhibit_changed: {
    header: 'arch/x86/kvm/trace.h',
    why: 'there is no APIC',
    versions: [
      { until: '6.12', text: INHIBITED },
      { since: '6.12', text: followed(INHIBITED, text`${flagsAfter('inhibits', INHIBIT_REASONS)}`) },
    ],
  },
  kvm_age_hva: {
    header: 'include/trace/events/kvm.h',
    why: NO_HARDWARE_AGING,
    versions: [{ text: text`mmu notifier age hva: 0x${padded('start', RANGE_DIGITS)} -- 0x${padded('end', RANGE_DIGITS)}` }],
  },
  kvm_test_age_hva: {
    header: 'include/trace/events/kvm.h',
    why: NO_HARDWARE_AGING,
    versions: [{ text: text`mmu notifier test age hva: 0x${padded('hva', RANGE_DIGITS)}` }],
  },
  kvm_mmu_invalidate_zap_all_pages: {
    header: 'arch/x86/kvm/mmu/mmutrace.h',
    why: 'newer kernels call it kvm_mmu_zap_all_fast',
    versions: [{ until: '5.1', text: text`kvm-mmu-valid-gen ${hex('valid_gen')} used_pages ${hex('used_pages')}` }],
  },
  kvm_nested_vmrun: {
    header: 'arch/x86/kvm/trace.h',
    why: 'newer kernels call it kvm_nested_vmenter',
    versions: [
      {
        until: '6.1',
        text: text`rip: 0x${hex16('rip')} vmcb: 0x${hex16('vmcs')} nrip: 0x${hex16('nested_rip')} int_ctl: 0x${hex8('int_ctl')} event_inj: 0x${hex8('event_inj')} npt: ${either('nested_tdp', 'on', 'off')}`,
      },
    ],
  },
  kvm_nested_intr_vmexit: {
    header: 'arch/x86/kvm/trace.h',
    why: NO_INTERRUPTS,
    versions: [{ text: text`rip: 0x${hex16('rip')}` }],
  },
  kvm_invlpga: {
    header: 'arch/x86/kvm/trace.h',
    why: 'its exit says the same',
    versions: [{ text: text`rip: 0x${hex16('rip')} asid: ${dec('asid')} address: 0x${hex16('address')}` }],
  },
  kvm_hypercall: {
    header: 'arch/x86/kvm/trace.h',
    why: 'hypercalls do nothing but exit',
    versions: [{ text: text`nr 0x${hex('nr')} a0 0x${hex('a0')} a1 0x${hex('a1')} a2 0x${hex('a2')} a3 0x${hex('a3')}` }],
  },
  kvm_fast_mmio: {
    header: 'arch/x86/kvm/trace.h',
    why: 'there are no ioeventfds',
    versions: [{ text: text`fast mmio at gpa 0x${hex('gpa')}` }],
  },
  kvm_inj_virq: {
    header: 'arch/x86/kvm/trace.h',
    why: NO_INTERRUPTS,
    versions: [
      { until: '6.0', text: text`irq ${dec('vector')}` },
      { since: '6.0', text: text`${either('soft', 'Soft/INTn', 'IRQ')} 0x${hex('vector')}${either('reinjected', ' [reinjected]', '')}` },
    ],
  },
  kvm_smm_transition: {
    header: 'arch/x86/kvm/trace.h',
    why: 'there is no SMM',
    versions: [{ text: text`vcpu ${dec('vcpu')}: ${either('entering', 'entering', 'leaving')} SMM, smbase 0x${hex('smbase')}` }],
  },
  kvm_rmp_fault: {
    header: 'arch/x86/kvm/trace.h',
    why: 'there is no SEV-SNP',
    versions: [
      {
        since: '6.11',
        text: text`vcpu ${dec('vcpu')} gpa ${hex16('gpa')} pfn 0x${hex('pfn')} error_code 0x${hex('error_code')} rmp_level ${dec('rmp_level')} psmash_ret ${dec('psmash_ret')}`,
      },
    ],
  },
  kvm_try_async_get_page: {
    header: 'include/trace/events/kvm.h',
    why: NO_SWAP,
    versions: [{ text: text`gva = ${sharp('gva')}, gfn = ${sharp('gfn')}` }],
  },
  kvm_async_pf_repeated_fault: {
    header: 'include/trace/events/kvm.h',
    why: NO_SWAP,
    versions: [{ text: text`gva = ${sharp('gva')}, gfn = ${sharp('gfn')}` }],
  },
  kvm_async_pf_not_present: {
    header: 'include/trace/events/kvm.h',
    why: NO_SWAP,
    versions: [{ text: text`token ${sharp('token')} gva ${sharp('gva')}` }],
  },
  kvm_async_pf_ready: {
    header: 'include/trace/events/kvm.h',
    why: NO_SWAP,
    versions: [{ text: text`token ${sharp('token')} gva ${sharp('gva')}` }],
  },
  kvm_async_pf_completed: {
    header: 'include/trace/events/kvm.h',
    why: NO_SWAP,
    versions: [{ text: text`gva ${sharp('gva')} address ${sharp('address')}` }],
  },
  kvm_dirty_ring_push: {
    header: 'include/trace/events/kvm.h',
    why: NO_DIRTY_RING,
    versions: [
      {
        text: text`ring ${dec('index')}: dirty 0x${hex('dirty_index')} reset 0x${hex('reset_index')} slot ${dec('slot')} offset 0x${hex('offset')} (used ${dec('used')})`,
      },
    ],
  },
  kvm_dirty_ring_exit: {
    header: 'include/trace/events/kvm.h',
    why: NO_DIRTY_RING,
    versions: [{ text: text`vcpu ${dec('vcpu')}` }],
  },
} as const satisfies { readonly [name: string]: OtherText };

/** KVM's other tracepoints, which say nothing of memory: known by their names, their texts kept as they stand. */
export const KEPT_AS_TEXT: ReadonlySet<string> = new Set([
  'kvm_ack_irq',
  'kvm_age_page',
  'kvm_apic',
  'kvm_apic_accept_irq',
  'kvm_apic_ipi',
  'kvm_apicv_accept_irq',
  'kvm_avic_doorbell',
  'kvm_avic_ga_log',
  'kvm_avic_incomplete_ipi',
  'kvm_avic_kick_vcpu_slowpath',
  'kvm_avic_unaccelerated_access',
  'kvm_cpuid',
  'kvm_dirty_ring_reset',
  'kvm_enter_smm',
  'kvm_eoi',
  'kvm_fpu',
  'kvm_halt_poll_ns',
  'kvm_hv_flush_tlb',
  'kvm_hv_flush_tlb_ex',
  'kvm_hv_hypercall',
  'kvm_hv_hypercall_done',
  'kvm_hv_notify_acked_sint',
  'kvm_hv_send_ipi',
  'kvm_hv_send_ipi_ex',
  'kvm_hv_stimer_callback',
  'kvm_hv_stimer_cleanup',
  'kvm_hv_stimer_expiration',
  'kvm_hv_stimer_set_config',
  'kvm_hv_stimer_set_count',
  'kvm_hv_stimer_start_one_shot',
  'kvm_hv_stimer_start_periodic',
  'kvm_hv_syndbg_get_msr',
  'kvm_hv_syndbg_set_msr',
  'kvm_hv_synic_send_eoi',
  'kvm_hv_synic_set_irq',
  'kvm_hv_synic_set_msr',
  'kvm_hv_timer_state',
  'kvm_ioapic_delayed_eoi_inj',
  'kvm_ioapic_set_irq',
  'kvm_msi_set_irq',
  'kvm_pi_irte_update',
  'kvm_pic_set_irq',
  'kvm_ple_window',
  'kvm_ple_window_update',
  'kvm_pv_eoi',
  'kvm_pv_tlb_flush',
  'kvm_pvclock_update',
  'kvm_set_irq',
  'kvm_skinit',
  'kvm_track_tsc',
  'kvm_update_master_clock',
  'kvm_vcpu_wakeup',
  'kvm_vmgexit_enter',
  'kvm_vmgexit_exit',
  'kvm_vmgexit_msr_protocol_enter',
  'kvm_vmgexit_msr_protocol_exit',
  'kvm_wait_lapic_expire',
  'kvm_write_tsc_offset',
  'kvm_xen_hypercall',
]);
