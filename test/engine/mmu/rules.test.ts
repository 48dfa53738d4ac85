/** Single rules of KVM that show in few programs (mmu-semantics.md §5, mmu-semantics-6.1.md): one small case for each. */
import assert from 'node:assert/strict';
import type { KvmOptions, MmuKind } from '../../../server/src/engine/program';
import { Bench, BY, SETUP_E, VCPU, exitsOf, host, slot, type Done, type Guest, type Words } from './machines';

const bench = (mmu: MmuKind, words: Words = SETUP_E, kvm: Partial<KvmOptions> = {}, more: Partial<Guest> = {}): Bench =>
  new Bench({ mmu, words, host: host(mmu === 'npt' ? 'amd' : 'intel', { prefetch: false, ...kvm }), ...more });
const count = (done: Done, name: string): number => done.events.filter((event) => event.startsWith(name)).length;
const spte = (machine: Bench, address: bigint, level = 1): bigint => machine.machine.entry('shadow', BY, address, level)?.value ?? 0n;
const gpaOf = (done: Done): unknown => done.result.kind === 'ok' && done.result.gpa;
const store = (machine: Bench, gpa: number, value: bigint, size: 4 | 8 = 8): Done =>
  machine.do({ do: 'store', by: BY, gpa, value, size, origin: 0 });

describe('INVLPG under soft MMU', () => {
  it('leaves tables in step alone, also beside one that is not', () => {
    const machine = bench('soft', { ...SETUP_E, 0x3020: 0x8007n, 0x8000: 0x9007n });
    machine.read(0x400000n);
    machine.write(0x800000n, 1n);
    machine.write(0x404000n, 0x7067n, false);
    assert.ok(machine.machine.pageState(0, 0x4000, 'unsync') && machine.machine.pageState(0, 0x8000, 'synced'));
    const before = spte(machine, 0x800000n);
    const done = machine.invlpg(0x800000n);
    assert.deepEqual([count(done, 'set_spte'), spte(machine, 0x800000n)], [0, before]);
  });

  it('drops an entry whose page is MMIO by now', () => {
    const machine = bench('soft');
    machine.read(0x400000n);
    machine.write(0x404000n, 0xd000_0067n, false);
    machine.invlpg(0x400000n);
    assert.equal(spte(machine, 0x400000n), 0n);
    assert.equal(machine.read(0x400000n).result.kind, 'mmio');
  });

  it('goes through the current root and the kept ones: an entry that they share is made twice (M5)', () => {
    const machine = bench('soft', { ...SETUP_E, 0x9000: 0x2007n, 0x4000: 0x5067n });
    machine.read(0x400000n);
    machine.load('cr3', 0x9000n);
    machine.read(0x400000n);
    machine.write(0x404000n, 0x7067n, false);
    assert.equal(count(machine.invlpg(0x400000n), 'set_spte'), 2);
  });
});

describe('stores to tables under soft MMU', () => {
  it('each through a window on the way to itself is a use: the table is never given up for flooding (C15)', () => {
    const machine = bench('soft');
    machine.read(0x400000n);
    for (let i = 0; i < 6; i++) assert.equal(count(machine.write(0x405018n, 0n, false), 'prepare_zap_page'), 0);
  });

  it('that fault on a tracked page are emulated at once, and logged as dirty', () => {
    const machine = bench('soft');
    const dirty = (): unknown => {
      const { result } = machine.do({ do: 'get-dirty-log', vm: 0, id: 0, origin: 0 });
      return result.kind === 'dirty-log' && result.gpas;
    };
    machine.read(0x400000n);
    machine.write(0x405020n, 0n, false);
    machine.do({ do: 'slot-flags', vm: 0, id: 0, logDirty: true, readonly: false, origin: 0 });
    const done = machine.write(0x405020n, 0x9007n, false);
    assert.deepEqual([exitsOf(done), count(done, 'spte_requested'), count(done, 'emulate_insn')], [1, 0, 1]);
    assert.deepEqual(dirty(), [0x3000]);
  });

  it('across two entries zap the table', () => {
    const machine = bench('soft');
    machine.read(0x400000n);
    machine.read(0x405000n, false);
    assert.equal(count(machine.write(0x405014n, 0n, false), 'prepare_zap_page'), 1);
    assert.deepEqual(machine.machine.brokenInvariants(), []);
  });

  it('a subtree that is linked anew is brought into step first', () => {
    const machine = bench('soft', { ...SETUP_E, 0x4008: 0x6065n });
    machine.read(0x401000n);
    machine.write(0x404008n, 0x7065n, false);
    assert.ok(machine.machine.pageState(0, 0x4000, 'unsync'));
    // The entry of the root goes and comes back without a flush.
    store(machine, 0x1000, 0n);
    store(machine, 0x1000, 0x2067n);
    const read = machine.read(0x400000n);
    assert.equal(count(read, 'sync_page'), 1);
    assert.equal(gpaOf(machine.read(0x401000n)), 0x7000);
  });

  it('tables that lead to themselves change when D is set in their leaf: the fault is taken twice', () => {
    // The top table at all four levels, and the one below at its three.
    for (const [entry, value, address] of [
      [0x1ff8, 0x1003n, 0xffff_ffff_ffff_f100n],
      [0x2ff8, 0x2003n, 0x7f_ffff_f100n],
    ] as const) {
      const machine = bench('soft', { ...SETUP_E, [entry]: value });
      const written = machine.write(address, 0n, false);
      assert.equal(written.result.kind, 'ok');
      assert.deepEqual(machine.machine.brokenInvariants(), []);
      const returns = written.events.filter((event) => event.startsWith('page_fault_return'));
      assert.ok(returns.length >= 2 && returns[0] === 'page_fault_return 1', returns.join(', '));
      assert.equal((machine.word(entry) ?? 0n) & 0x60n, 0x60n);
    }
  });
});

describe('32-bit guests under soft MMU', () => {
  // Directory at 0x1000: 4M at 0x400000 by the table at 0x2000, 4M at 0x40400000 by the table at 0x3000; a window on the directory.
  const words: Words = {
    0x1000: 0x2067n << 32n,
    0x1400: 0n,
    0x1404: 0n,
    0x2000: 0x10067n,
    0x2800: 0x11067n,
    0x3000: 0x12067n,
    0x4000: 0x13067n,
    0x4800: 0x14067n,
  };
  const machineOf = (): Bench =>
    bench(
      'soft',
      words,
      {},
      { slots: [slot(0, 0, 0x10_0000)], vcpu: { paging: '32-bit', cr3: 0x1000n, efer: { nxe: false }, cr4: VCPU.cr4 } },
    );

  it('an entry of the directory has two shadows, and a store clears both', () => {
    const machine = machineOf();
    assert.deepEqual([gpaOf(machine.read(0x400000n)), gpaOf(machine.read(0x600000n))], [0x1_0000, 0x1_1000]);
    store(machine, 0x1004, 0x4067n, 4);
    assert.deepEqual([gpaOf(machine.read(0x400000n)), gpaOf(machine.read(0x600000n))], [0x1_3000, 0x1_4000]);
    assert.deepEqual(machine.machine.brokenInvariants(), []);
  });

  it('a store to another quarter of the directory clears nothing of this one', () => {
    const machine = machineOf();
    machine.read(0x400000n);
    store(machine, 0x1404, 0x3067n, 4);
    assert.equal(exitsOf(machine.read(0x400000n)), 0);
    assert.equal(gpaOf(machine.read(0x4040_0000n)), 0x1_2000);
  });
});

describe('prefetch', () => {
  it('maps nothing writable that would be in the dirty log by it (M1)', () => {
    const machine = bench('soft', { ...SETUP_E, 0x4000: 0x5067n, 0x4008: 0x6067n, 0x4010: 0x7067n }, { prefetch: true });
    machine.do({ do: 'slot-flags', vm: 0, id: 0, logDirty: true, readonly: false, origin: 0 });
    machine.read(0x400000n);
    assert.equal(spte(machine, 0x401000n), 0n);
    const { result } = machine.do({ do: 'get-dirty-log', vm: 0, id: 0, origin: 0 });
    assert.ok(result.kind === 'dirty-log' && !result.gpas.includes(0x6000));
  });
});

describe('PCIDs under soft MMU', () => {
  it('a flush of everything lets go of kept roots with tables out of step', () => {
    // The second root has tables of its own, and a window on the first one's page table.
    const words = { ...SETUP_E, 0x8000: 0x9007n, 0x9000: 0xa007n, 0xa010: 0xb007n, 0xb000: 0x4063n, 0xb008: 0x6067n };
    const machine = bench('soft', words, {}, { vcpu: { cr4: { ...VCPU.cr4, pcide: true } } });
    const keep = 1n << 63n;
    machine.read(0x400000n);
    machine.load('cr3', 0x8001n | keep);
    machine.write(0x400000n, 0x7067n, false);
    assert.ok(machine.machine.pageState(0, 0x4000, 'unsync'));
    machine.do({ do: 'invpcid', by: BY, type: 2, pcid: 0, address: 0n, origin: 0 });
    machine.load('cr3', 0x1000n | keep);
    assert.equal(gpaOf(machine.read(0x400000n)), 0x7000);
  });
});

describe('slots', () => {
  it('a mark of MMIO from before a slot came gives way to memory, once', () => {
    for (const mmu of ['soft', 'ept', 'npt'] as const) {
      const machine = bench(mmu);
      machine.read(0x402000n, false);
      machine.read(0x400000n);
      machine.do({ do: 'set-slot', vm: 0, slot: slot(5, 0xd000_0000, 0x1000), origin: 0 });
      assert.equal(machine.read(0x402000n, false).result.kind, 'ok', mmu);
      assert.equal(exitsOf(machine.read(0x402000n, false)), 0, `${mmu}: mapped by now`);
    }
  });

  it('no large page reaches beyond a slot: ending the dirty log drops nothing there', () => {
    for (const mmu of ['ept', 'npt'] as const) {
      // Half of the host's large page has a second slot.
      const whole = slot(0, 0, 0x20_0000, { backing: { pageSize: 0x20_0000, populated: true } });
      const half = slot(1, 0x4000_0000, 0x10_0000, { hva: whole.hva });
      const machine = bench(mmu, { ...SETUP_E, 0x4000: 0x4000_5067n }, {}, { slots: [whole, half] });
      const log = (logDirty: boolean): unknown => machine.do({ do: 'slot-flags', vm: 0, id: 1, logDirty, readonly: false, origin: 0 });
      log(true);
      machine.read(0x400000n);
      log(false);
      assert.equal(exitsOf(machine.read(0x400000n)), 0, mmu);
      assert.deepEqual(machine.machine.brokenInvariants(), []);
    }
  });
});

describe('the MMIO access that a vCPU remembers', () => {
  it('is of one root: another one, loaded without a flush, has its own', () => {
    // Linear 0x402000 is one device under the first root and another one under the second.
    const words = { ...SETUP_E, 0x8000: 0x9007n, 0x9000: 0xa007n, 0xa010: 0xb007n, 0xb010: 0xe000_0003n };
    const machine = bench('soft', words, {}, { vcpu: { cr4: { ...VCPU.cr4, pcide: true } } });
    const at = (): unknown => {
      const { result } = machine.read(0x402000n, false);
      return result.kind === 'mmio' && result.gpa;
    };
    const seen = [0x1000n, 0x8001n, 0x1000n, 0x8001n].map((root) => {
      machine.load('cr3', root | (1n << 63n));
      return at();
    });
    assert.deepEqual(seen, [0xd000_0000, 0xe000_0000, 0xd000_0000, 0xe000_0000]);
  });

  it('is forgotten at INVLPG of its address: what is emulated there next is memory', () => {
    const machine = bench('soft');
    machine.read(0x400000n);
    assert.equal(machine.write(0x402000n, 0n, false).result.kind, 'mmio');
    machine.write(0x404010n, 0x3063n, false);
    machine.invlpg(0x402000n);
    const written = machine.write(0x402020n, 0n, false);
    assert.equal(written.result.kind, 'ok');
    assert.equal(gpaOf(machine.write(0x402020n, 0n, false)), 0x3020, 'the directory, which is tracked');
  });
});

describe('CR0.WP=0', () => {
  it('SMEP makes other pages: what the supervisor wrote through them is not to be executed', () => {
    const machine = bench('soft', SETUP_E, {}, { vcpu: { cr0: { wp: false } } });
    assert.equal(machine.write(0x401000n, 1n, false).result.kind, 'ok');
    assert.equal(machine.fetch(0x401000n, false).result.kind, 'ok');
    machine.do({ do: 'register', by: BY, register: 'cr4', value: 0x10_0000n, mask: 0x10_0000n, origin: 0 });
    assert.deepEqual(machine.fetch(0x401000n, false).result, { kind: 'page-fault', error: 0x11, address: 0x401000n });
  });
});
