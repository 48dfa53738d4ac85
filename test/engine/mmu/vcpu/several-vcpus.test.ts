/** Several vCPUs of one VM: shared tables, shootdown of what others have cached, PCIDs; plain cases beside the random ones. */
import assert from 'node:assert/strict';
import { Journal } from '../../../../server/src/engine/journal/journal';
import { Machine } from '../../../../server/src/engine/machine';
import type { Act, MachineConfig, MmuKind } from '../../../../server/src/engine/program';
import { access, exitsOf, SETUP_E, SLOTS_E, host, VCPU, eventsOf, type Done, type Words } from '../machines';

interface More {
  readonly vcpus?: number;
  readonly tlb?: boolean;
  readonly pcide?: boolean;
  readonly words?: Words;
}

class Machines {
  private readonly journal = new Journal();
  readonly machine: Machine;

  constructor(mmu: MmuKind, { vcpus = 2, tlb = true, pcide = false, words = SETUP_E }: More = {}) {
    const base = host(mmu === 'npt' ? 'amd' : 'intel', { prefetch: false });
    const config: MachineConfig = {
      host: { ...base, tlb: { ...base.tlb, on: tlb, pagingStructureEntries: 8 } },
      vms: [
        {
          name: 'guest',
          parent: null,
          mmu,
          hypervisor: 'kvm',
          slots: SLOTS_E,
          memory: Object.entries(words).map(([gpa, word]) => ({ gpa: Number(gpa), words: BigUint64Array.of(word) })),
          vcpus: Array.from({ length: vcpus }, (_, i) => ({ ...VCPU, name: String(i), cr4: { ...VCPU.cr4, pcide } })),
        },
      ],
    };
    this.machine = new Machine(config, this.journal, { steps: 1e6, events: 4e6, memory: 256 << 20 });
  }

  do(act: Act): Done {
    const from = this.journal.length;
    const done = this.machine.perform(act);
    assert.deepEqual(this.machine.brokenInvariants(), []);
    return { ...done, events: eventsOf(this.journal, from) };
  }

  at(vcpu: number, kind: 'read' | 'write' | 'fetch', address: bigint, user = true, value: bigint | null = null): Done {
    return this.do({ ...access(kind, address, user, value), by: by(vcpu) } as Act);
  }

  cr3(vcpu: number, value: bigint): Done {
    return this.do({ do: 'register', by: by(vcpu), register: 'cr3', value, origin: 0 });
  }

  invpcid(type: 0 | 1 | 2 | 3, pcid = 0, address = 0n): Done {
    return this.do({ do: 'invpcid', by: by(0), type, pcid, address, origin: 0 });
  }
}

const by = (vcpu: number): { vm: number; vcpu: number } => ({ vm: 0, vcpu });
const KINDS: readonly MmuKind[] = ['soft', 'ept', 'npt'];
const HVA = SLOTS_E[0].hva;
const count = (done: Done, name: string): number => done.events.filter((event) => event.startsWith(name)).length;
const reasons = (done: Done): string[] => done.exits.map(({ reason, count: n }) => `${n} ${reason}`);

describe('several vCPUs', () => {
  it('share what one of them has mapped: a second one needs no new table', () => {
    for (const mmu of KINDS) {
      const vm = new Machines(mmu);
      vm.at(0, 'read', 0x400000n);
      const pages = vm.machine.shadowPages(0).length;
      const done = vm.at(1, 'read', 0x400000n);
      assert.deepEqual([exitsOf(done), vm.machine.shadowPages(0).length], [0, pages], mmu);
      assert.equal(vm.machine.rootOf(by(0))!.hpa, vm.machine.rootOf(by(1))!.hpa);
      assert.equal(vm.machine.shadowPages(0).find(({ level }) => level === 4)!.rootCount, 2);
    }
  });

  it('a page that the host takes is dropped from the TLB of every vCPU that runs, by one kick each', () => {
    for (const mmu of KINDS) {
      const vm = new Machines(mmu);
      for (const vcpu of [0, 1]) vm.at(vcpu, 'read', 0x400000n);
      for (const vcpu of [0, 1]) assert.ok(vm.machine.tlbHas(by(vcpu), 0x400000n), mmu);
      const done = vm.do({ do: 'reclaim', vm: 0, hva: HVA + 0x5000, size: 0x1000, origin: 0 });
      assert.deepEqual(reasons(done), [mmu === 'npt' ? '2 interrupt' : '2 EXTERNAL_INTERRUPT']);
      for (const vcpu of [0, 1]) assert.ok(!vm.machine.tlbHas(by(vcpu), 0x400000n), mmu);
    }
  });

  it('protection for the dirty log reaches them all: no vCPU writes by what it has cached', () => {
    for (const mmu of KINDS) {
      const vm = new Machines(mmu);
      for (const vcpu of [0, 1]) vm.at(vcpu, 'write', 0x400000n, true, 1n);
      vm.do({ do: 'slot-flags', vm: 0, id: 0, logDirty: true, readonly: false, origin: 0 });
      assert.ok(exitsOf(vm.at(1, 'write', 0x400000n, true, 2n)) > 0, mmu);
      const { result } = vm.do({ do: 'get-dirty-log', vm: 0, id: 0, origin: 0 });
      assert.ok(result.kind === 'dirty-log' && result.gpas.includes(0x5000), mmu);
      assert.ok(exitsOf(vm.at(0, 'write', 0x400000n, true, 3n)) > 0, `${mmu}: armed again on the other one`);
    }
  });

  it('soft: a table that becomes shadowed is write-protected for all, and an edit by another vCPU is seen', () => {
    // 0x404000 maps the page table itself; 0x80_0000_0000 leads to other tables, of which the window is one.
    const vm = new Machines('soft', { words: { ...SETUP_E, 0x1008: 0xa007n, 0xa000: 0xb007n, 0xb000: 0xc007n, 0xc000: 0x4063n } });
    const window = 0x80_0000_0000n;
    vm.at(1, 'write', window, false, 0x5067n);
    assert.ok(vm.machine.tlbHas(by(1), window), 'nobody shadows it yet');
    vm.at(0, 'read', 0x400000n);
    assert.ok(!vm.machine.tlbHas(by(1), window), 'now it is a table');
    const write = vm.at(1, 'write', window, false, 0x7067n);
    assert.equal(count(write, 'unsync_page'), 1);
    const stale = vm.at(0, 'read', 0x400000n);
    assert.equal(stale.result.kind === 'ok' && stale.result.gpa, 0x5000, 'stale until this vCPU is told');
    vm.do({ do: 'invlpg', by: by(0), address: 0x400000n, origin: 0 });
    const read = vm.at(0, 'read', 0x400000n);
    assert.equal(read.result.kind === 'ok' && read.result.gpa, 0x7000);
  });

  it('soft: MOV CR3 on one vCPU synchronizes a table for all, with a flush for the other', () => {
    const vm = new Machines('soft');
    for (const vcpu of [0, 1]) vm.at(vcpu, 'read', 0x400000n);
    vm.at(1, 'write', 0x404000n, false, 0x7067n);
    const done = vm.cr3(0, 0x1000n);
    assert.equal(count(done, 'sync_page'), 1);
    assert.ok(done.events.includes('flush_remote_tlbs'));
    const read = vm.at(1, 'read', 0x400000n);
    assert.equal(read.result.kind === 'ok' && read.result.gpa, 0x7000, 'more than the architecture asks for');
  });

  it('a slot that goes takes the roots of all vCPUs with it; a vCPU that never ran has none', () => {
    for (const mmu of KINDS) {
      const vm = new Machines(mmu, { vcpus: 3 });
      for (const vcpu of [0, 1]) vm.at(vcpu, 'read', 0x406000n, false);
      assert.equal(vm.machine.rootOf(by(2)), null);
      vm.do({ do: 'delete-slot', vm: 0, id: 1, origin: 0 });
      for (const vcpu of [0, 1, 2]) assert.equal(vm.at(vcpu, 'read', 0x406000n, false).result.kind, 'mmio', `${mmu} ${vcpu}`);
    }
  });
});

describe('PCIDs under soft MMU', () => {
  const words = { ...SETUP_E, 0x9000: 0x2007n };
  const one = (): Machines => new Machines('soft', { vcpus: 1, pcide: true, words });

  it('roots are kept by CR3 with PCID; MOV CR3 that flushes lets go of the other roots of that PCID', () => {
    const vm = one();
    vm.at(0, 'read', 0x400000n);
    vm.cr3(0, 0x9001n);
    vm.at(0, 'read', 0x400000n);
    assert.equal(count(vm.cr3(0, 0x1000n), 'get_page'), 0, 'kept');
    // Another root with PCID 1: the one of 0x9000 goes.
    vm.cr3(0, 0xa001n);
    assert.equal(count(vm.cr3(0, 0x1000n), 'get_page'), 0);
    assert.equal(count(vm.cr3(0, 0x9001n), 'get_page'), 1, 'found in the hash, no longer kept');
  });

  it('bit 63 of MOV CR3 spares synchronization and flush', () => {
    const vm = one();
    vm.at(0, 'read', 0x400000n);
    vm.at(0, 'write', 0x404000n, false, 0x7067n);
    vm.cr3(0, 0x9001n);
    vm.at(0, 'write', 0x404000n, false, 0x8067n);
    const kept = vm.cr3(0, (1n << 63n) | 0x1000n);
    assert.equal(count(kept, 'sync_page'), 0);
    assert.ok(vm.machine.pageState(0, 0x4000, 'unsync'));
    const flushed = vm.cr3(0, 0x1000n);
    assert.equal(count(flushed, 'sync_page'), 1);
    assert.ok(vm.machine.pageState(0, 0x4000, 'synced'));
  });

  it('INVPCID: an address in another PCID’s root, a PCID, everything', () => {
    const edited = (): Machines => {
      const vm = one();
      vm.at(0, 'read', 0x400000n);
      vm.cr3(0, 0x9001n);
      vm.at(0, 'read', 0x400000n);
      vm.at(0, 'write', 0x404000n, false, 0x7067n);
      return vm;
    };
    const reads = (vm: Machines): unknown => {
      const { result } = vm.at(0, 'read', 0x400000n);
      return result.kind === 'ok' && result.gpa;
    };
    const address = edited();
    assert.equal(reads(address), 0x5000);
    address.invpcid(0, 0, 0x400000n);
    assert.equal(reads(address), 0x7000, 'the table is shared, so its entry went in both');
    assert.ok(address.machine.pageState(0, 0x4000, 'unsync'));

    const other = edited();
    assert.equal(count(other.invpcid(1, 0), 'sync_page'), 0);
    assert.equal(count(other.cr3(0, (1n << 63n) | 0x1000n), 'get_page'), 1, 'the root of PCID 0 went');

    const own = edited();
    assert.equal(count(own.invpcid(1, 1), 'sync_page'), 1);
    assert.equal(reads(own), 0x7000);

    for (const type of [2, 3] as const) {
      const all = edited();
      assert.equal(count(all.invpcid(type), 'sync_page'), 1);
      assert.equal(reads(all), 0x7000);
    }
    const refused = one().invpcid(0, 0x1000, 0n);
    assert.equal(refused.result.kind, 'general-protection');
  });
});
