/** Counters of VMs: those of struct kvm_arch that the journal keeps, and how many pages are mapped (`pages_4k` of kvm_stat). */
import { Space, SPACES, VmField } from '../../engine/journal/spaces';
import { levelOf } from '../../engine/mmu/pages/role';
import type { MachineState } from '../machine-state';
import { leavesByFrame } from './shadow-pages';
import { touches } from './thing';
import type { Thing } from './thing';

const KEY = SPACES[Space.vm].key;

/** kvm_host.h: struct kvm_arch; the generation of struct kvm_memslots. */
const FIELDS: readonly { readonly field: number; readonly name: string }[] = [
  { field: VmField.validGeneration, name: 'mmu_valid_gen' },
  { field: VmField.usedPages, name: 'n_used_mmu_pages' },
  { field: VmField.maxPages, name: 'n_max_mmu_pages' },
  { field: VmField.indirectPages, name: 'indirect_shadow_pages' },
  { field: VmField.slotGeneration, name: 'memslots generation' },
];

/** kvm_host.h: struct kvm_vm_stat. */
const PAGES = ['pages_4k', 'pages_2m', 'pages_1g'] as const;

export function counterThings(state: MachineState): Thing[] {
  const { vms } = state.machine;
  return vms.map(({ name, parent }, vm) => ({
    part: String(vm),
    name: vms.length > 1 ? name : 'VM',
    inside: () => [...fields(state, vm), ...(parent === null ? mapped(state, vm) : [])],
    touchedBy: (touched) => touches(touched, Space.vm, (key) => KEY.field(key, 'vm') === vm),
  }));
}

function fields(state: MachineState, vm: number): Thing[] {
  return FIELDS.map(({ field, name }) => {
    const key = KEY.encode({ vm, field });
    return { part: name.replaceAll(' ', '-'), name, value: state.words(Space.vm).get(key).toString(), words: [{ space: Space.vm, key }] };
  });
}

function mapped(state: MachineState, vm: number): Thing[] {
  const counts = [0, 0, 0];
  for (const [frame, leaves] of leavesByFrame(state))
    if (frame.startsWith(`${vm} `)) for (const { page } of leaves) counts[levelOf(page.role) - 1]++;
  return PAGES.map((name, i) => ({ part: name, name, value: String(counts[i]) }));
}
