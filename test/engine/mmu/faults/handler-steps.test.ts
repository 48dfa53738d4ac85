/** The steps of a handler, and what happens to a fault when the host or another vCPU acts between two of them. */
import assert from 'node:assert/strict';
import { Journal } from '../../../../server/src/engine/journal/journal';
import { Machine } from '../../../../server/src/engine/machine';
import type { HandlerStep } from '../../../../server/src/engine/mmu/pages/handler-steps';
import type { Kvm } from '../../../../server/src/engine/mmu/pages/kvm';
import { RetPf } from '../../../../server/src/engine/journal/enumerations';
import type { Act, KvmOptions, MmuKind } from '../../../../server/src/engine/program';
import { SETUP_E, SLOTS_E, VCPU, access, eventsOf, host } from '../machines';

const KINDS: readonly { readonly mmu: MmuKind; readonly kvm?: Partial<KvmOptions> }[] = [
  { mmu: 'soft' },
  { mmu: 'ept' },
  { mmu: 'npt' },
  { mmu: 'npt', kvm: { tdpMmu: false } },
];
const by = (vcpu: number): { vm: number; vcpu: number } => ({ vm: 0, vcpu });
const HVA = SLOTS_E[0].hva;

class TwoVcpus {
  readonly journal = new Journal();
  readonly machine: Machine;
  readonly kvm: Kvm;

  constructor(mmu: MmuKind, kvm: Partial<KvmOptions> = {}) {
    const memory = Object.entries(SETUP_E).map(([gpa, word]) => ({ gpa: Number(gpa), words: BigUint64Array.of(word) }));
    const vcpus = [0, 1].map((i) => ({ ...VCPU, name: String(i) }));
    const vm = { name: 'guest', parent: null, mmu, hypervisor: 'kvm' as const, slots: SLOTS_E, memory, vcpus };
    const config = { host: host(mmu === 'npt' ? 'amd' : 'intel', { prefetch: false, ...kvm }), vms: [vm] };
    this.machine = new Machine(config, this.journal, { steps: 1e6, events: 4e6, memory: 256 << 20 });
    this.kvm = this.machine['hypervisors'][0]!.kvm;
  }

  read(vcpu: number, address: bigint): number | null {
    const { result } = this.machine.perform({ ...access('read', address, true, null), by: by(vcpu) } as Act);
    assert.ok(result.kind === 'ok', result.kind);
    return result.hpa;
  }

  /** Something happens at the first of such steps from now on. */
  at(step: HandlerStep, act: () => void): void {
    this.kvm.onStep = (reached) => {
      if (reached !== step) return;
      this.kvm.onStep = () => undefined;
      const { actor } = this.journal;
      act();
      this.journal.actor = actor;
    };
  }

  /** How often a handler said that the fault is to be made again, since a row. */
  retries(from: number): number {
    return eventsOf(this.journal, from).filter((event) => event === `page_fault_return ${RetPf.retry}`).length;
  }
}

describe('steps of a page-fault handler', () => {
  for (const { mmu, kvm } of KINDS) {
    const name = `${mmu}${kvm === undefined ? '' : ', older direct MMU'}`;

    it(`${name}: the sequence is read before the lock is taken, and entries are written under the lock`, () => {
      const vm = new TwoVcpus(mmu, kvm);
      vm.read(0, 0x400000n);
      const steps: HandlerStep[] = [];
      vm.kvm.onStep = (step) => steps.push(step);
      vm.read(0, 0x401000n);
      const entries = steps.length - 2;
      assert.deepEqual(steps, ['sequence read', 'lock taken', ...Array.from({ length: entries }, () => 'entry written')]);
      assert.ok(entries > 0);
    });

    it(`${name}: a page that the host takes after the sequence was read is looked for again`, () => {
      const vm = new TwoVcpus(mmu, kvm);
      const before = vm.read(1, 0x400000n);
      vm.machine.perform({ do: 'zap-all', vm: 0, origin: 0 });
      vm.at('lock taken', () =>
        assert.equal(vm.machine.perform({ do: 'reclaim', vm: 0, hva: HVA + 0x5000, size: 0x1000, origin: 0 }).result.kind, 'done'),
      );
      const from = vm.journal.length;
      assert.notEqual(vm.read(0, 0x400000n), before);
      assert.equal(vm.retries(from), 1);
      assert.deepEqual(vm.machine.brokenInvariants(), []);
    });

    it(`${name}: another vCPU's whole fault between sequence and lock changes nothing for either`, () => {
      const alone = new TwoVcpus(mmu, kvm);
      const expected = [alone.read(1, 0x401000n), alone.read(0, 0x400000n)];
      const vm = new TwoVcpus(mmu, kvm);
      let other: number | null = null;
      vm.at('sequence read', () => (other = vm.read(1, 0x401000n)));
      const own = vm.read(0, 0x400000n);
      assert.deepEqual(
        [other, own].map((hpa) => hpa! % 4096),
        expected.map((hpa) => hpa! % 4096),
      );
      for (const vcpu of [0, 1]) assert.deepEqual([vm.read(vcpu, 0x401000n), vm.read(vcpu, 0x400000n)], [other, own]);
      assert.deepEqual(vm.machine.brokenInvariants(), []);
    });

    it(`${name}: a fault whose root went meanwhile is made again under another root`, () => {
      const vm = new TwoVcpus(mmu, kvm);
      vm.read(0, 0x401000n);
      vm.at('sequence read', () => vm.machine.perform({ do: 'zap-all', vm: 0, origin: 0 }));
      const from = vm.journal.length;
      assert.notEqual(vm.read(0, 0x400000n), null);
      assert.equal(vm.retries(from), 1);
      assert.deepEqual(vm.machine.brokenInvariants(), []);
    });
  }
});
