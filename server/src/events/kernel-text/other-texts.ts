/** Tracepoints of KVM that stand beside ours in recordings and that nothing here causes. They are not printed, but can be read. */
import type { TraceHeader } from '../../engine/journal/definition';
import { dec, either, flagsAfter, hex, padded, words } from './holes';
import { followed, text } from './text';
import { RANGE_DIGITS } from './trace-texts';
import type { Version } from './versions';

interface OtherText {
  readonly header: TraceHeader;
  /** Why no run has it. */
  readonly why: string;
  readonly versions: readonly Version<string>[];
}

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
  kvm_nested_intercepts: {
    header: 'arch/x86/kvm/trace.h',
    why: 'what an L1 intercepts follows from its kind of MMU; it has no masks',
    versions: [
      {
        text: text`cr_read: ${padded('cr_read', 4)} cr_write: ${padded('cr_write', 4)} excp: ${padded('exceptions', 8)} intercepts: ${padded('intercept1', 8)} ${padded('intercept2', 8)} ${padded('intercept3', 8)}`,
      },
    ],
  },
  kvm_nested_vmenter_failed: {
    header: 'arch/x86/kvm/trace.h',
    why: 'a refused entry is an outcome of the act (VMfailValid, an exit with INVALID_STATE or invalid)',
    versions: [{ text: text`${words('msg')}` }],
  },
  kvm_apicv_inhibit_changed: {
    header: 'arch/x86/kvm/trace.h',
    why: 'there is no APIC',
    versions: [
      { until: '6.12', text: INHIBITED },
      { since: '6.12', text: followed(INHIBITED, text`${flagsAfter('inhibits', INHIBIT_REASONS)}`) },
    ],
  },
  kvm_set_spte_hva: {
    header: 'include/trace/events/kvm.h',
    why: 'KSM and page migration end in kvm_unmap_hva_range here',
    versions: [{ until: '6.12', text: text`mmu notifier set pte hva: 0x${padded('hva', RANGE_DIGITS)}` }],
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
} as const satisfies { readonly [name: string]: OtherText };
