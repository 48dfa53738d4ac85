/** What differs between kernels, on machines of a few words (kernel-rules.ts); kvm-traces/kernels.test.ts has guests like the recorded ones. */
import assert from 'node:assert/strict';
import type { KvmOptions, MmuKind } from '../../../server/src/engine/program';
import { eventAt, type Event } from '../../../server/src/events/fields';
import { Bench, BY, SETUP_E, SLOTS_E, exitsOf, host, slot, type Done, type Guest } from './machines';

const bench = (mmu: MmuKind, kvm: Partial<KvmOptions> = {}, more: Partial<Guest> = {}): Bench =>
  new Bench({ mmu, host: host(mmu === 'npt' ? 'amd' : 'intel', { prefetch: false, ...kvm }), ...more });

const only = (done: Done, ...names: string[]): string[] => done.events.filter((event) => names.some((name) => event.startsWith(name)));
const counted = (done: Done, name: string): number => only(done, name).length;
const spte = (machine: Bench, address: bigint): bigint => machine.machine.entry('shadow', BY, address, 1)?.value ?? 0n;
const tdpLeaf = (machine: Bench, gpa: bigint): { level: number; value: bigint } => machine.machine.entry('tdp', BY, gpa, 0)!;
/** Events by their full names. */
const during = (machine: Bench, act: () => unknown): Event[] => {
  const from = machine.journal.length;
  act();
  return Array.from({ length: machine.journal.length - from }, (_, i) => eventAt(machine.journal, from + i)).filter(
    (event) => event !== null,
  );
};
const names = (events: readonly Event[]): string[] => events.map(({ name }) => name);
/** Setup E with A set everywhere: what a prefetch takes. */
const USED = { ...SETUP_E, 0x4000: 0x5067n, 0x4008: 0x6065n, 0x4010: 0x7067n, 0x4018: 0x8047n, 0x4020: 0x4063n };
const A = 0x20n;
const D = 0x40n;

describe('kernel 6.12', () => {
  const newer = (mmu: MmuKind, more: Partial<Guest> = {}): Bench => bench(mmu, { kernel: '6.12' }, more);
  const old = (mmu: MmuKind, more: Partial<Guest> = {}): Bench => bench(mmu, {}, more);

  it('C1 INVLPG keeps an entry that is unchanged, and drops one whose frame has changed without mapping the new one', () => {
    const machine = newer('soft', { words: USED });
    machine.write(0x400000n, 1n);
    machine.write(0x404000n, 0x5067n, false);
    assert.ok(machine.machine.pageState(0, 0x4000, 'unsync'));
    const before = spte(machine, 0x400000n);
    const same = machine.invlpg(0x400000n);
    assert.deepEqual([counted(same, 'set_spte'), spte(machine, 0x400000n)], [0, before]);
    machine.write(0x404000n, 0x7067n, false);
    machine.invlpg(0x400000n);
    assert.equal(spte(machine, 0x400000n), 1n << 63n, 'empty');
    assert.equal(exitsOf(machine.read(0x400000n)), 1);
  });

  it('C2 INVLPG of an address never mapped maps nothing', () => {
    for (const [machine, empty] of [
      [newer('soft', { words: USED }), true],
      [old('soft', { words: USED }), false],
    ] as const) {
      machine.read(0x400000n);
      machine.write(0x404000n, 0x5067n, false);
      machine.invlpg(0x402000n);
      assert.equal((spte(machine, 0x402000n) & 1n) === 0n, empty);
    }
  });

  it('C4 synchronization leaves A and D of an entry whose rights are the same', () => {
    for (const [machine, flags] of [
      [newer('soft', { words: USED }), A | D],
      [old('soft', { words: USED }), 0n],
    ] as const) {
      machine.write(0x400000n, 1n);
      machine.write(0x404010n, 0x8067n, false);
      machine.load('cr3', 0x1000n);
      assert.ok(machine.machine.pageState(0, 0x4000, 'synced'));
      assert.equal(spte(machine, 0x400000n) & (A | D), flags);
    }
  });

  it('C5, C6 a leaf found again through another root is made anew, D not with it, in both kernels', () => {
    const words = { ...SETUP_E, 0x8000: 0x9007n, 0x9000: 0x3007n };
    for (const machine of [newer('soft', { words }), old('soft', { words })]) {
      machine.write(0x400000n, 1n);
      machine.load('cr3', 0x8000n);
      const done = machine.write(0x400000n, 2n);
      assert.deepEqual([exitsOf(done), only(done, 'set_spte')], [1, ['set_spte 5 10005e27 l1']]);
    }
  });

  it('C9 a read-modify-write of a READONLY slot is one exit', () => {
    for (const mmu of ['soft', 'npt'] as const) {
      const machine = newer(mmu, { slots: [SLOTS_E[0], { ...SLOTS_E[1], readonly: true }] });
      machine.read(0x406000n, false);
      const done = machine.rmw(0x406000n, 1n, false);
      assert.deepEqual([exitsOf(done), done.result.kind], [1, 'mmio'], mmu);
    }
  });

  it('C10, C11 bit 63 stands in empty entries, in EPT leaves and in the mark of removal', () => {
    const ept = newer('ept');
    ept.read(0x406000n, false);
    assert.equal(tdpLeaf(ept, 0x100_0000n).value >> 56n, 0x86n);
    const soft = newer('soft');
    soft.read(0x400000n);
    assert.equal(spte(soft, 0x401000n), 1n << 63n);
    const done = ept.do({ do: 'delete-slot', vm: 0, id: 1, origin: 0 });
    const removed = only(done, 'tdp_mmu_spte_changed').filter((event) => event.endsWith(' 80000000000005a0'));
    assert.ok(removed.length >= 512 && removed.length % 512 === 0);
  });

  it('a root in no slot is the zero page, by which every access faults; once there is a slot, the next fault finds it', () => {
    const words = { 0x1000: 0x2007n, 0x2000: 0x3007n, 0x3010: 0x4007n, 0x4000: 0x5067n };
    const slots = [slot(0, 0, 0x100_0000)];
    assert.equal(old('soft', { words, slots }).load('cr3', 0x200_0000n).result.kind, 'shutdown');
    const machine = newer('soft', { words, slots });
    machine.read(0x400000n);
    assert.equal(machine.load('cr3', 0x200_0000n).result.kind, 'done');
    assert.deepEqual([machine.read(0x400000n).result.kind, machine.machine.rootOf(BY)?.hpa], ['page-fault', 0x1000]);
    machine.do({ do: 'set-slot', vm: 0, slot: slot(1, 0x200_0000, 0x1000), origin: 0 });
    machine.do({ do: 'host-write', vm: 0, gpa: 0x200_0000, value: 0x2007n, origin: 0 });
    const events = names(during(machine, () => assert.equal(machine.read(0x400000n).result.kind, 'ok')));
    const seen = events.filter((name) => name === 'kvm_exit' || name === 'kvm_load_root');
    assert.deepEqual(seen, ['kvm_exit', 'kvm_load_root', 'kvm_exit'], 'a fault that finds the root, and one that maps');
    assert.deepEqual(machine.machine.brokenInvariants(), []);
  });

  it('CR0.WP alone changes nothing without paging', () => {
    for (const [machine, roots] of [
      [newer('soft', { vcpu: { paging: 'none' } }), 0],
      [old('soft', { vcpu: { paging: 'none' } }), 1],
    ] as const) {
      machine.read(0x5000n);
      const events = names(during(machine, () => machine.load('cr0', machine.machine.register(BY, 'cr0') ^ 0x1_0000n)));
      assert.equal(events.filter((name) => name === 'kvm_load_root').length, roots);
    }
  });

  it('one entry of the TDP MMU is zapped: reported with the mark before the flush, or as empty behind it', () => {
    const backing = { pageSize: 0x20_0000, populated: true };
    for (const [kernel, order] of [
      ['6.1', ['600 5a0', 'flush']],
      ['6.12', ['zap', 'flush', '600 8000000000000000']],
    ] as const) {
      const machine = bench('ept', { kernel }, { slots: [slot(0, 0, 0x100_0000, { backing })] });
      const log = (logDirty: boolean): unknown => machine.do({ do: 'slot-flags', vm: 0, id: 0, logDirty, readonly: false, origin: 0 });
      log(true);
      machine.read(0x600000n);
      const told = during(machine, () => log(false)).flatMap((event) => {
        if (event.name === 'kvm_flush_remote_tlbs') return event.fields.gfn === 0x600n ? ['flush'] : [];
        if (event.name === 'tdp_mmu_zap_spte_atomic') return event.fields.gfn === 0x600n ? ['zap'] : [];
        const isEntry = event.name === 'kvm_tdp_mmu_spte_changed' && event.level === 2 && event.fields.gfn === 0x600n;
        return isEntry ? [`600 ${event.fields.new_spte.toString(16)}`] : [];
      });
      assert.deepEqual(told, order);
      assert.equal(machine.machine.entry('tdp', BY, 0x600000n, 2)?.value ?? 0n, kernel === '6.1' ? 0n : 1n << 63n);
      assert.deepEqual(machine.machine.brokenInvariants(), []);
    }
  });

  it('a copy in place of the zero page: the notifier hears of the new page too in 6.1', () => {
    for (const [machine, heard] of [
      [newer('ept'), 0],
      [old('ept'), 1],
    ] as const) {
      const backing = { pageSize: 0x1000, populated: false };
      machine.do({ do: 'set-slot', vm: 0, slot: slot(2, 0x200_0000, 0x10_0000, { backing }), origin: 0 });
      machine.do({ do: 'store', by: BY, gpa: 0x4030, size: 8, value: 0x200_0067n, origin: 0 });
      machine.read(0x406000n, false);
      const events = names(during(machine, () => machine.write(0x406000n, 1n, false)));
      const count = (name: string): number => events.filter((each) => each === name).length;
      assert.deepEqual([count('kvm_unmap_hva_range'), count('kvm_set_spte_hva')], [1, heard]);
      assert.deepEqual(machine.machine.brokenInvariants(), []);
    }
  });
});
