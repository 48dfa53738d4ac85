/** Programs printed as scenarios say the same: read again, they are the same machine and the same acts. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Act, KvmOptions, MachineConfig, MmuKind } from '../../server/src/engine/program';
import { openScript } from '../../server/src/api/language';
import { asScenario } from '../support/as-scenario';
import { BY, access, host, slot } from '../engine/mmu/machines';
import { actsOfAll, assertFor, machineFor, programs, scenarioOf } from '../engine/mmu/random-programs';

const KVM: Partial<KvmOptions>[] = [
  {},
  { prefetch: false, unsync: false, cachedRoots: 0 },
  { tdpMmu: false, pml: true, eptAd: false, kernel: '6.12' },
];

/** Without the statement's place. */
const placeless = (acts: readonly Act[]): unknown => JSON.parse(JSON.stringify(acts, (key, value: unknown) => (key === 'origin' ? undefined : typeof value === 'bigint' ? `${value}n` : value))); // prettier-ignore

function readAgain(scenario: string): { readonly machine: MachineConfig; readonly acts: readonly Act[] } {
  const script = openScript(scenario, 'file:///printed.mmu', { read: () => null });
  const errors = script.problems.filter(({ severity }) => severity === 'error');
  assert.deepEqual(errors, [], scenario);
  const [{ machine, acts }] = script.programs;
  return { machine, acts: acts.filter((act) => act.do !== 'expect') };
}

/** Memory word by word: images may be cut elsewhere. */
const memory = ({ vms }: MachineConfig): Map<number, bigint> =>
  new Map(
    vms[0].memory.flatMap(({ gpa, words }) => [...words].map((word, i) => [gpa + i * 8, word] as const)).filter(([, word]) => word !== 0n),
  );

/** The geometry of a TLB that is off does not matter. */
const hostOf = ({ host: { tlb, ...rest } }: MachineConfig): unknown => ({ ...rest, tlb: tlb.on ? tlb : null });

function assertSame(machine: MachineConfig, acts: readonly Act[], scenario: string): void {
  const again = readAgain(scenario);
  assert.deepEqual(placeless(again.acts.slice(0, -1)), placeless(acts));
  assert.equal(again.acts.at(-1)?.do, 'check-invariants');
  assert.deepEqual(hostOf(again.machine), hostOf(machine));
  assert.deepEqual(memory(again.machine), memory(machine));
  const [vm] = again.machine.vms;
  assert.deepEqual(vm.vcpus.map((vcpu) => ({ ...vcpu, name: '' })), machine.vms[0].vcpus.map((vcpu) => ({ ...vcpu, name: '' }))); // prettier-ignore
  assert.deepEqual(vm.slots.map((each) => ({ ...each, origin: 0 })), machine.vms[0].slots); // prettier-ignore
}

describe('a program as a scenario', () => {
  it('is the same program when it is read again', () => {
    fc.assert(
      fc.property(programs(30), fc.constantFrom<MmuKind>('soft', 'ept', 'npt'), fc.constantFrom(...KVM), (steps, mmu, kvm) => {
        const acts = [...actsOfAll(steps)].map(({ act }) => act);
        assertSame(machineFor(mmu, kvm).config, acts, scenarioOf(steps, mmu, kvm, [mmu]));
      }),
      { numRuns: 60 },
    );
  });

  it('is how a failing random program is shown, shrunk', () => {
    const fails = (): void =>
      assertFor(
        programs(30),
        200,
        (steps) => assert.ok(steps.every((step) => step.step !== 'host' || step.act !== 'zap')),
        (steps) => scenarioOf(steps, 'soft', {}, ['soft', 'ept']),
      );
    assert.throws(fails, ({ message }: Error) => {
      assert.match(message, /run guest under soft, ept \{\n {2}host zap all\n {2}same\n {2}check invariants\n\}/);
      return message.includes('Counterexample');
    });
  });

  it('has words for every act', () => {
    const base = { vm: 0, origin: 0 };
    const hva = 0x7f00_0000_0000;
    const by = { vm: 0, vcpu: 1 };
    const acts: Act[] = [
      { ...(access('write', 0x40_0000n, true, 7n) as Extract<Act, { do: 'access' }>), size: 4, ac: true, count: 3, stride: -8n, by },
      { ...(access('rmw', 0x40_0000n, false, 1n) as Extract<Act, { do: 'access' }>), implicit: true },
      { do: 'store', by: BY, gpa: 0x5000, value: 7n, size: 4, origin: 0 },
      { do: 'register', by: BY, register: 'cr4', value: 0x20_0000n, mask: 0x20_0000n, origin: 0 },
      { do: 'register', by: BY, register: 'eflags', value: 0n, mask: 0x4_0000n, origin: 0 },
      { do: 'register', by: BY, register: 'pkru', value: 12n, origin: 0 },
      { do: 'invlpg', by, address: 0x40_0000n, origin: 0 },
      { do: 'invpcid', by: BY, type: 0, pcid: 3, address: 0x40_0000n, origin: 0 },
      { do: 'invpcid', by: BY, type: 1, pcid: 3, address: 0n, origin: 0 },
      { do: 'invpcid', by: BY, type: 2, pcid: 0, address: 0n, origin: 0 },
      { do: 'invpcid', by: BY, type: 3, pcid: 0, address: 0n, origin: 0 },
      { ...base, do: 'set-slot', slot: slot(2, 0x200_0000, 0x1_0000, { readonly: true, logDirty: true, backing: { pageSize: 0x20_0000, populated: false } }) }, // prettier-ignore
      { ...base, do: 'move-slot', id: 2, gpa: 0x300_0000 },
      { ...base, do: 'slot-flags', id: 2, logDirty: true, readonly: true },
      { ...base, do: 'clear-dirty-log', id: 2, first: 0, pages: 16 },
      { ...base, do: 'delete-slot', id: 2 },
      { ...base, do: 'split', hva, size: 0x20_0000 },
      { ...base, do: 'collapse', hva, size: 0x20_0000 },
      { ...base, do: 'host-write', gpa: 0x5000, value: 7n },
      { ...base, do: 'protect', hva, size: 0x1000, writable: false },
    ];
    const { config } = machineFor('soft');
    const [vm] = config.vms;
    const machine: MachineConfig = {
      host: host('intel', {}, { memory: 0x8000_0000, pageSize: 0x20_0000, tlb: { on: true, l1: { sets: 4, ways: 2 }, l2: { sets: 8, ways: 2 }, pagingStructureEntries: 4 } }), // prettier-ignore
      vms: [{ ...vm, slots: [slot(0, 0, 0x100_0000, { logDirty: true, backing: { pageSize: 0x20_0000, populated: true } })], vcpus: [vm.vcpus[0], { ...vm.vcpus[0], cpl: 3, eflagsAc: true, cr4: { ...vm.vcpus[0].cr4, smap: true } }] }], // prettier-ignore
    };
    assertSame(machine, acts, asScenario(machine, acts, ['soft']));
  });
});
