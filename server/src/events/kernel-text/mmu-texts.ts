/** Texts of arch/x86/kvm/mmu/mmutrace.h. */
import type { WALK_EVENTS } from '../../engine/journal/definitions/walks';
import { RetPf } from '../../engine/journal/enumerations';
import { Role, accessText } from '../../engine/mmu/pages/role';
import { beside, bit, bits, dec, either, flags, hex, is, pointer, sharp, sptePermissions, type Flags } from './holes';
import { followed, text, type Hole, type Text } from './text';
import type { KernelTexts } from './versions';

/** kvm_mmu_trace_pferr_flags */
const PFERR: Flags = [
  [1n << 0n, 'P'],
  [1n << 1n, 'W'],
  [1n << 2n, 'U'],
  [1n << 3n, 'RSVD'],
  [1n << 4n, 'F'],
];

/** The same with those of shadow stacks, protection keys and SGX (since 6.18). */
const PFERR_MORE: Flags = [...PFERR.slice(0, 3), [1n << 5n, 'PK'], [1n << 6n, 'SS'], [1n << 15n, 'SGX'], ...PFERR.slice(3)];

export const WALK_TEXTS: KernelTexts<keyof typeof WALK_EVENTS> = {
  kvm_mmu_pagetable_walk: [
    { until: '6.18', text: text`addr ${hex('addr')} pferr ${hex('pferr')} ${flags('pferr', PFERR)}` },
    { since: '6.18', text: text`addr ${hex('addr')} pferr ${hex('pferr')} ${flags('pferr', PFERR_MORE)}` },
  ],
  kvm_mmu_paging_element: [{ text: text`pte ${hex('pte')} level ${dec('level')}` }],
  kvm_mmu_set_accessed_bit: [{ text: text`gpa ${hex('gpa')}` }],
  kvm_mmu_set_dirty_bit: [{ text: text`gpa ${hex('gpa')}` }],
  kvm_mmu_walker_error: [
    { until: '6.18', text: text`pferr ${hex('pferr')} ${flags('pferr', PFERR)}` },
    { since: '6.18', text: text`pferr ${hex('pferr')} ${flags('pferr', PFERR_MORE)}` },
  ],
};

const LEVELS = Array.from({ length: 16 }, (_, level) => String(level));
const QUADRANTS = ['0', '1', '2', '3'];
const ACCESS = Array.from({ length: 8 }, (_, access) => accessText(access));
const level = bits('role', Role.level, LEVELS, 'level');
const width = bit('role', Role.narrow, '4', '8');
const quadrant = bits('role', Role.quadrant, QUADRANTS, 'quadrant');
const direct = bit('role', Role.direct, ' direct', '');
const access = bits('role', Role.access, ACCESS, 'access');
const invalid = bit('role', Role.invalid, ' invalid', '');
const nx = bit('role', Role.eferNx, '', '!');
const ad = bit('role', Role.adDisabled, '!', '');
const sync = either('unsync', 'unsync', 'sync');

/** KVM_MMU_PAGE_PRINTK: the role and what follows. */
const ROLE = text`l${level} ${width}-byte q${quadrant}${direct} ${access}${invalid} ${nx}nxe ${ad}ad root ${dec('root_count')} ${sync}`;
/** The same before the level was called so: tables of PAE and 64-bit guests are those of 8 bytes. */
const ROLE_OLD = text`${level}${bit('role', Role.narrow, '', ' pae')} q${quadrant}${direct} ${access}${invalid} ${nx}nxe root ${dec('root_count')} ${sync}`;
const PAGE = followed(text`sp gen ${dec('mmu_valid_gen')} gfn ${hex('gfn')} `, ROLE);

const pageVersions = <N extends string>(after: Text<N>) =>
  [
    { until: '5.1', text: followed(followed(text`sp gen ${hex('mmu_valid_gen')} gfn ${hex('gfn')} `, ROLE_OLD), after) },
    { since: '5.1', until: '5.4', text: followed(followed(text`sp gfn ${hex('gfn')} `, ROLE), after) },
    { since: '5.4', text: followed(PAGE, after) },
  ] as const;
const PAGES = pageVersions(text``);

export const PAGE_TEXTS: KernelTexts<
  'kvm_mmu_get_page' | 'kvm_mmu_sync_page' | 'kvm_mmu_unsync_page' | 'kvm_mmu_prepare_zap_page' | 'kvm_mmu_zap_all_fast'
> = {
  kvm_mmu_get_page: pageVersions(text` ${either('created', 'new', 'existing')}`),
  kvm_mmu_sync_page: PAGES,
  kvm_mmu_unsync_page: PAGES,
  kvm_mmu_prepare_zap_page: PAGES,
  kvm_mmu_zap_all_fast: [{ since: '5.4', text: text`kvm-mmu-valid-gen ${dec('valid_gen')} used_pages ${hex('used_pages')}` }],
};

function fastPageFault(code: Hole<'error_code'>) {
  return text`vcpu ${vcpu} gva ${hex('address')} error_code ${code} sptep ${pointer('sptep')} old ${sharp('old')} new ${hex('new')} spurious ${is('result', RetPf.spurious)} fixed ${is('result', RetPf.fixed)}`;
}

const vcpu = beside(dec('vcpu'), 'of the last exit');

export const SPTE_TEXTS: KernelTexts<
  'kvm_mmu_spte_requested' | 'kvm_mmu_set_spte' | 'kvm_tdp_mmu_spte_changed' | 'kvm_mmu_split_huge_page' | 'fast_page_fault'
> = {
  kvm_mmu_spte_requested: [{ text: text`gfn ${hex('gfn')} pfn ${hex('pfn')} level ${dec('level')}` }],
  kvm_mmu_set_spte: [{ text: text`gfn ${hex('gfn')} spte ${hex('spte')} (${sptePermissions}) level ${dec('level')} at ${hex('at')}` }],
  kvm_tdp_mmu_spte_changed: [
    {
      text: text`as id ${beside(dec('as_id'), '0: no SMM')} gfn ${hex('gfn')} level ${dec('level')} old_spte ${hex('old_spte')} new_spte ${hex('new_spte')}`,
    },
  ],
  kvm_mmu_split_huge_page: [
    {
      text: text`gfn ${hex('gfn')} spte ${hex('spte')} level ${dec('level')} errno ${beside(dec('errno'), '0: there are always pages for it')}`,
    },
  ],
  fast_page_fault: [
    // error_code is a u32 there.
    { until: '6.12', text: fastPageFault(flags('error_code', PFERR, 32)) },
    { since: '6.12', until: '6.18', text: fastPageFault(flags('error_code', PFERR)) },
    { since: '6.18', text: fastPageFault(flags('error_code', PFERR_MORE)) },
  ],
};

export const MMIO_TEXTS: KernelTexts<'mark_mmio_spte' | 'check_mmio_spte' | 'handle_mmio_page_fault'> = {
  mark_mmio_spte: [{ text: text`sptep:${pointer('sptep')} gfn ${hex('gfn')} access ${hex('access')} gen ${hex('gen')}` }],
  check_mmio_spte: [
    { text: text`spte ${hex('spte')} kvm_gen ${hex('kvm_gen')} spte-gen ${hex('spte_gen')} valid ${either('valid', '1', '0')}` },
  ],
  handle_mmio_page_fault: [{ text: text`addr:${hex('addr')} gfn ${hex('gfn')} access ${hex('access')}` }],
};
