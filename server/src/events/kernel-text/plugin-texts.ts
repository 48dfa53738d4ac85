/**
 * Texts as `trace-cmd report` and `perf script` print them where they do not take the kernel's: the plugin of libtraceevent
 * (plugins/plugin_kvm.c) has its own for some events, of fields that older kernels have.
 */
import { Role, accessText } from '../../engine/mmu/pages/role';
import { pluginExitReason } from './exit-reasons';
import { beside, bit, bits, dec, either, hex, instruction, words } from './holes';
import { followed, text, type Hole, type Text } from './text';

/** Where the plugin finds symbols of the guest: ` native_safe_halt+0xe`. */
const guestFunction: Hole<never> = beside(
  {
    shows: ['function'],
    beside: null,
    placeholder: ' function+0x…',
    pattern: '(?: [A-Za-z_.$][\\w.$]*(?:\\+0x[0-9a-f]+)?)?',
    print: ({ function: name }) => (name === undefined ? '' : ` ${name}`),
    read: (said): { readonly function?: string } => (said === '' ? {} : { function: said.slice(1) }),
  },
  "of the guest's kernel, when its symbols are there",
);

const INFO = text` info ${hex('info1')} ${hex('info2')}`;
const rip = text` rip 0x${hex('rip')}${guestFunction}`;

const LEVELS = Array.from({ length: 16 }, (_, level) => String(level));
const ACCESS = Array.from({ length: 8 }, (_, access) => accessText(access));

/**
 * kvm_mmu_print_role: bits of the role by the places that they had in older kernels. `pae` is bit 4: since 5.16 it says that entries have
 * 4 bytes, before that they have 8.
 */
const ROLE = text`${bits('role', Role.level, LEVELS, 'level')} q${bits('role', Role.quadrant, ['0', '1', '2', '3'], 'quadrant')}${bit('role', Role.direct, ' direct', '')} ${bits('role', Role.access, ACCESS, 'access')}${bit('role', Role.invalid, ' invalid', '')} ${bit('role', Role.narrow, '', '!')}pae ${bit('role', Role.eferNx, '', '!')}nxe ${bit('role', Role.cr0Wp, '', '!')}wp${bit('role', Role.smepAndNotWp, ' smep', '')}${bit('role', Role.smapAndNotWp, ' smap', '')}${either('smm', ' smm', '')} root ${dec('root_count')} ${either('unsync', 'unsync', 'sync')}`;

const INJECTED = text`reason ${pluginExitReason('reason')} info1 ${hex('info1')} info2 ${hex('info2')} int_info ${hex('intr_info')} int_info_err ${hex('error_code')}`;

/** What it says when a kernel has no field of a name that it wants. */
const MISSING = text`<CANT FIND FIELD ${words('missing')}>`;

export const PLUGIN_TEXTS: { readonly [name: string]: readonly Text<string>[] } = {
  kvm_entry: [followed(text`vcpu ${dec('vcpu')}`, rip)],
  kvm_exit: [
    followed(followed(text`reason ${pluginExitReason('reason')}`, rip), INFO),
    followed(text`reason ${pluginExitReason('reason')}`, rip),
  ],
  kvm_emulate_insn: [
    text`${hex('csbase')}:${hex('rip')}${guestFunction}: ${instruction}${either('failed', ' FAIL', '')}`,
    // With a disassembler at hand.
    text`${hex('csbase')}:${hex('rip')}${guestFunction}: ${words('instruction')}${either('failed', ' FAIL', '')}`,
  ],
  kvm_nested_vmexit: [
    followed(text`rip ${hex('rip')}${guestFunction} `, INJECTED),
    followed(text`rip ${hex('rip')}${guestFunction}`, INJECTED),
    MISSING,
  ],
  kvm_nested_vmexit_inject: [INJECTED],
  kvm_mmu_get_page: [followed(text`${either('created', 'new', 'existing')} sp gfn ${hex('gfn')} `, ROLE)],
  kvm_mmu_sync_page: [ROLE],
  kvm_mmu_unsync_page: [ROLE],
  kvm_mmu_prepare_zap_page: [ROLE],
  kvm_mmu_zap_page: [ROLE],
};
