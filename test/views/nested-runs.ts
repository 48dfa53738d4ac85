/** Runs of a VM in a VM (mmu-semantics.md §10.0, setup N), for tests of views. */
import type { Act, MmuKind, Program } from '../../server/src/engine/program';
import { execute } from '../../server/src/run/execute';
import { RunView } from '../../server/src/views/view';
import { VCPU, access, host, slot } from '../engine/mmu/machines';
import { L1, L2, L2_BASE, SETUP_N } from '../engine/mmu/nested/nested-machines';

export { L1, L2, L2_BASE };

export interface NestedKinds {
  /** What L1 does for L2, and what L0 does for L1. */
  readonly l2: MmuKind;
  readonly l1: MmuKind;
}

export const SS: NestedKinds = { l2: 'soft', l1: 'soft' };
export const SH: NestedKinds = { l2: 'soft', l1: 'ept' };
export const HH: NestedKinds = { l2: 'ept', l1: 'ept' };
export const HH_NPT: NestedKinds = { l2: 'npt', l1: 'npt' };

/** L2's read of NGVA 0x40_0000, twice. */
export const READS: readonly Act[] = [read(0), read(1)];

export function read(origin: number, address = 0x40_0000n, by = L2): Act {
  return { ...access('read', address, true, null), origin, by } as Act;
}

export function nestedRun({ l2, l1 }: NestedKinds, acts: readonly Act[] = READS): RunView {
  const vendor = l1 === 'npt' || l2 === 'npt' ? 'amd' : 'intel';
  const memory = Object.entries(SETUP_N).map(([gpa, word]) => ({ gpa: Number(gpa), words: BigUint64Array.of(word) }));
  const program: Program = {
    name: `l2 under ${l2} on ${l1}`,
    machine: {
      host: host(vendor),
      vms: [
        {
          name: 'l1',
          parent: null,
          mmu: l1,
          hypervisor: 'kvm',
          slots: [slot(0, 0, 0x100_0000)],
          memory: [],
          vcpus: [{ ...VCPU, paging: 'none', cr3: 0n }],
        },
        { name: 'l2', parent: 0, mmu: l2, hypervisor: 'kvm', slots: [slot(0, 0, 0x40_0000, { hva: L2_BASE })], memory, vcpus: [VCPU] },
      ],
    },
    acts,
    budget: { steps: 1e6, events: 4e6, memory: 256 << 20 },
  };
  const statements = acts.map((act, line) => ({
    uri: 'file:///nested.mmu',
    range: { start: { line, character: 0 }, end: { line, character: 9 } },
    text: act.do === 'access' ? `l2: user ${act.access} 0x${act.address.toString(16)}` : act.do,
  }));
  return new RunView(execute(program), { statements });
}
