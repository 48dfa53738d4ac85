/** Worked examples of mmu-semantics.md §10, with the differences of 6.1 (mmu-semantics-6.1.md). Prefetch is off as in §10.0. */
import assert from 'node:assert/strict';
import { Bench, SETUP_E, SLOTS_E, exitsOf, host, slot, type Done, type Guest } from './machines';
import type { KvmOptions, MmuKind } from '../../../server/src/engine/program';

const bench = (mmu: MmuKind, kvm: Partial<KvmOptions> = {}, more: Partial<Guest> = {}): Bench =>
  new Bench({ mmu, host: host(mmu === 'npt' ? 'amd' : 'intel', { prefetch: false, ...kvm }), ...more });

/** Events that begin with one of these names. */
const only = (done: Done, ...names: string[]): string[] => done.events.filter((event) => names.some((name) => event.startsWith(name)));
const HPA = 0x1000_0000;
const hpaOf = (gpa: number): string => (HPA + gpa).toString(16);

describe('worked examples', () => {
  it('10.1 first touch, soft: one exit, walk, tables top down, leaf without W', () => {
    const done = bench('soft').read(0x400000n);
    assert.equal(exitsOf(done), 1);
    assert.deepEqual(only(done, 'get_page'), ['get_page 1 l4 new', 'get_page 2 l3 new', 'get_page 3 l2 new', 'get_page 4 l1 new']);
    assert.deepEqual(
      only(done, 'set_accessed_bit'),
      [1000, 2000, 3010, 4000].map((gpa) => `set_accessed_bit ${gpa}`),
    );
    assert.deepEqual(only(done, 'set_spte'), [`set_spte 5 ${hpaOf(0x5a25)} l1`]);
  });

  it('10.1 first touch, hard: one exit for each table of the guest and one for the page', () => {
    const ept = bench('ept').read(0x400000n);
    assert.deepEqual(
      only(ept, 'page_fault ').map((e) => e.slice(11)),
      ['1000 83', '2000 83', '3010 83', '4000 83', '5000 181'],
    );
    const npt = bench('npt').read(0x400000n);
    assert.deepEqual(
      only(npt, 'page_fault ').map((e) => e.slice(11)),
      ['1000 200000006', '2000 200000006', '3010 200000006', '4000 200000006', '5000 100000004'],
    );
  });

  it('10.2 first write: D is set by the walker and W given; hard: no exit', () => {
    const soft = bench('soft');
    soft.read(0x400000n);
    const done = soft.write(0x400000n, 1n);
    assert.deepEqual(only(done, 'page_fault ', 'set_dirty_bit', 'set_spte'), [
      'page_fault 400000 7',
      'set_dirty_bit 4000',
      `set_spte 5 ${hpaOf(0x5e67)} l1`,
    ]);
    assert.equal(soft.word(0x4000), 0x5067n);
    for (const mmu of ['ept', 'npt'] as const) {
      const hard = bench(mmu);
      hard.read(0x400000n);
      assert.equal(exitsOf(hard.write(0x400000n, 1n)), 0);
      assert.equal(hard.word(0x4000), 0x5067n);
    }
  });

  it('10.3 denied write: the error code is the walker’s, and the leaf stays as it is', () => {
    const soft = bench('soft');
    soft.read(0x400000n);
    const done = soft.write(0x401000n, 1n);
    assert.deepEqual(only(done, 'page_fault ', 'walker_error', 'inj_exception'), [
      'page_fault 401000 6',
      'walker_error 7',
      'inj_exception 7',
    ]);
    assert.deepEqual(done.result, { kind: 'page-fault', error: 7, address: 0x401000n });
    assert.equal(soft.word(0x4008), 0x6005n);
    const ept = bench('ept');
    ept.read(0x400000n);
    const hard = ept.write(0x401000n, 1n);
    assert.deepEqual([exitsOf(hard), hard.result.kind], [0, 'page-fault']);
  });

  it('10.4 edit of a level-1 table: unsync, stale until INVLPG, which maps the new page at once when A is set (C1)', () => {
    const soft = bench('soft');
    soft.read(0x400000n);
    const a = soft.write(0x404000n, 0x7067n, false);
    assert.deepEqual(only(a, 'unsync_page', 'set_spte'), ['unsync_page 4 l1', `set_spte 4 ${hpaOf(0x4e63)} l1`]);
    assert.equal(soft.word(0x4000), 0x7067n);
    const b = soft.read(0x400000n);
    assert.deepEqual([exitsOf(b), b.result.kind === 'ok' && b.result.gpa], [0, 0x5000], 'stale, as a TLB may be');
    const c = soft.invlpg(0x400000n);
    assert.deepEqual(only(c, 'set_spte'), [`set_spte 7 ${hpaOf(0x7e47)} l1`], '6.1 prefetches the new entry');
    assert.ok(soft.machine.pageState(0, 0x4000, 'unsync'), 'the page stays unsync');
    const d = soft.read(0x400000n);
    assert.deepEqual([exitsOf(d), d.result.kind === 'ok' && d.result.gpa], [0, 0x7000]);
    const cr3 = soft.load('cr3', 0x1000n);
    assert.deepEqual(only(cr3, 'sync_page'), ['sync_page 4 l1']);
    assert.ok(soft.machine.pageState(0, 0x4000, 'synced') && soft.machine.pageState(0, 0x4000, 'write-protected'));
  });

  it('10.4 under EPT and NPT an edit and INVLPG cost nothing', () => {
    for (const mmu of ['ept', 'npt'] as const) {
      const hard = bench(mmu);
      [0x400000n, 0x404000n].forEach((address) => hard.read(address, false));
      assert.equal(exitsOf(hard.write(0x404000n, 0x7067n, false)) + exitsOf(hard.invlpg(0x400000n)), 0, mmu);
    }
  });

  it('10.5 edit of a level-2 table: emulated in one exit, child kept; the third write without use zaps it', () => {
    const soft = bench('soft', {}, { words: { ...SETUP_E, 0x8000: 0x9007n } });
    soft.read(0x400000n);
    const done = soft.write(0x405010n, 0x8007n, false);
    assert.equal(exitsOf(done), 1);
    assert.deepEqual(only(done, 'set_spte', 'emulate', 'pte_write'), [
      `set_spte 3 ${hpaOf(0x3a21)} l1`,
      'emulate_insn',
      'pte_write 3010 8007',
    ]);
    const read = soft.read(0x400000n);
    assert.deepEqual(only(read, 'get_page', 'set_spte'), ['get_page 8 l1 new', `set_spte 9 ${hpaOf(0x9a25)} l1`]);
  });

  it('10.5 flooding: three emulated writes without a use zap the table, the next makes its page writable', () => {
    // The window lies under another directory, so that its own way does not count as a use of this one.
    const soft = bench('soft', {}, { words: { ...SETUP_E, 0x1008: 0xa007n, 0xa000: 0xb007n, 0xb000: 0xc007n, 0xc000: 0x3063n } });
    const window = 0x80_0000_0000n;
    soft.read(0x400000n);
    soft.read(window, false);
    const zapped = [1, 2, 3].map(() => only(soft.write(window + 0x18n, 0n, false), 'prepare_zap_page'));
    assert.deepEqual(zapped, [[], [], ['prepare_zap_page 3 l2']]);
    assert.ok(!soft.machine.pageState(0, 0x3000, 'tracked'));
    assert.equal(exitsOf(soft.write(window + 0x18n, 0n, false)), 1);
    assert.equal(exitsOf(soft.write(window + 0x18n, 0n, false)), 0);
  });

  it('10.6 CR3 switch: the subtree is found, the old root is cached; the leaf found again is fixed, not spurious (C6)', () => {
    const soft = bench('soft', {}, { words: { ...SETUP_E, 0xa000: 0x2007n } });
    soft.write(0x400000n, 1n);
    const there = soft.load('cr3', 0xa000n);
    assert.deepEqual(only(there, 'get_page'), ['get_page a l4 new']);
    const read = soft.read(0x400000n);
    assert.deepEqual(only(read, 'get_page', 'set_spte'), ['get_page 2 l3 existing', `set_spte 5 ${hpaOf(0x5e27)} l1`]);
    const back = soft.load('cr3', 0x1000n);
    assert.deepEqual(only(back, 'get_page'), []);
    assert.equal(exitsOf(soft.read(0x400000n)), 0);
    for (const mmu of ['ept', 'npt'] as const) assert.equal(exitsOf(bench(mmu).load('cr3', 0xa000n)), 0);
  });

  it('10.7 A and D come back after they were cleared and invalidated', () => {
    const soft = bench('soft');
    soft.write(0x400000n, 1n);
    soft.write(0x404000n, 0x5007n, false);
    soft.invlpg(0x400000n);
    const read = soft.read(0x400000n);
    assert.deepEqual(only(read, 'set_accessed_bit'), ['set_accessed_bit 4000']);
    assert.equal(soft.word(0x4000), 0x5027n);
    assert.deepEqual(only(soft.write(0x400000n, 2n), 'set_dirty_bit'), ['set_dirty_bit 4000']);
  });

  it('10.8 MMIO: marked at the first access, answered from the mark afterwards', () => {
    const soft = bench('soft');
    assert.deepEqual(only(soft.read(0x402000n, false), 'mark_mmio_spte', 'mmio'), [
      'mark_mmio_spte d0000 1 4',
      'mmio 0 d0000000',
      'mmio 1 d0000000',
    ]);
    const second = soft.read(0x402000n, false);
    assert.deepEqual(only(second, 'page_fault ', 'pagetable_walk'), ['page_fault 402000 9']);
    const ept = bench('ept');
    assert.deepEqual(only(ept.read(0x402000n, false), 'mark_mmio_spte'), ['mark_mmio_spte d0000 6 4']);
    assert.deepEqual(ept.read(0x402000n, false).exits, [{ reason: 'EPT_MISCONFIG', count: 1 }]);
    const npt = bench('npt');
    npt.read(0x402000n, false);
    assert.deepEqual(only(npt.read(0x402000n, false), 'page_fault '), ['page_fault d0000000 10000000d']);
  });

  it('10.8 a slot over the address makes the mark stale: RAM', () => {
    for (const mmu of ['soft', 'ept', 'npt'] as const) {
      const machine = bench(mmu);
      machine.read(0x402000n, false);
      machine.do({ do: 'set-slot', vm: 0, slot: slot(2, 0xd000_0000, 0x1000), origin: 0 });
      assert.deepEqual(machine.read(0x402000n, false).result.kind, 'ok', mmu);
    }
  });

  it('10.9 dirty logging: what is re-armed, what is reported', () => {
    const log = (machine: Bench): Done => machine.do({ do: 'slot-flags', vm: 0, id: 0, logDirty: true, readonly: false, origin: 0 });
    const get = (machine: Bench): readonly number[] => {
      const { result } = machine.do({ do: 'get-dirty-log', vm: 0, id: 0, origin: 0 });
      return result.kind === 'dirty-log' ? result.gpas : [];
    };
    const expected: readonly (readonly [MmuKind, Partial<KvmOptions>, number, readonly number[]])[] = [
      ['soft', {}, 1, [0x5000]],
      ['ept', {}, 5, [0x1000, 0x2000, 0x3000, 0x4000, 0x5000]],
      ['ept', { pml: true }, 0, [0x1000, 0x2000, 0x3000, 0x4000, 0x5000]],
      ['ept', { eptAd: false }, 1, [0x5000]],
      ['npt', {}, 5, [0x1000, 0x2000, 0x3000, 0x4000, 0x5000]],
    ];
    for (const [mmu, kvm, exits, pages] of expected) {
      const machine = bench(mmu, kvm);
      machine.write(0x400000n, 1n);
      log(machine);
      assert.equal(exitsOf(machine.write(0x400000n, 2n)), exits, `${mmu} ${JSON.stringify(kvm)}`);
      assert.deepEqual(get(machine), pages, `${mmu} ${JSON.stringify(kvm)}`);
      assert.equal(exitsOf(machine.write(0x400000n, 3n)), exits, `${mmu} ${JSON.stringify(kvm)}: armed again`);
    }
  });

  it('10.9 the walker’s flags dirty the pages of the guest’s tables; without new flags nothing is dirty', () => {
    const soft = bench('soft');
    soft.do({ do: 'slot-flags', vm: 0, id: 0, logDirty: true, readonly: false, origin: 0 });
    const dirty = (): unknown => {
      const { result } = soft.do({ do: 'get-dirty-log', vm: 0, id: 0, origin: 0 });
      return result.kind === 'dirty-log' && result.gpas;
    };
    soft.read(0x400000n);
    assert.deepEqual(dirty(), [0x1000, 0x2000, 0x3000, 0x4000]);
    soft.read(0x400000n);
    assert.deepEqual(dirty(), []);
    soft.write(0x400000n, 1n);
    assert.deepEqual(dirty(), [0x4000, 0x5000], 'D in the leaf, and the page itself');
  });

  it('10.10 deleting a slot zaps everything before it vanishes', () => {
    const soft = bench('soft');
    soft.read(0x406000n, false);
    const done = soft.do({ do: 'delete-slot', vm: 0, id: 1, origin: 0 });
    assert.deepEqual(only(done, 'zap_all_fast', 'prepare_zap_page', 'get_page'), [
      'zap_all_fast 0 4',
      ...['1 l4', '2 l3', '3 l2', '4 l1', '1 l4'].map((page) => `prepare_zap_page ${page}`),
      'get_page 1 l4 new',
    ]);
    const read = soft.read(0x406000n, false);
    assert.deepEqual(only(read, 'mark_mmio_spte'), ['mark_mmio_spte 1000 1 8']);
    assert.equal(read.result.kind === 'mmio' && read.result.gpa, 0x1000000);
  });

  it('10.10 TDP: entries under a zapped table get the mark of removal (C11)', () => {
    const ept = bench('ept');
    ept.read(0x406000n, false);
    const done = ept.do({ do: 'delete-slot', vm: 0, id: 1, origin: 0 });
    const removed = only(done, 'tdp_mmu_spte_changed').filter((event) => event.endsWith(' 5a0'));
    assert.ok(removed.length >= 512 && removed.length % 512 === 0, `${removed.length} entries`);
  });

  it('10.11 large guest page: a direct page for each set of rights; one entry on a large host page', () => {
    const soft = bench('soft');
    const read = soft.read(0x600000n);
    assert.deepEqual(only(read, 'get_page', 'set_spte').slice(-2), ['get_page 600 l1 new', `set_spte 600 ${hpaOf(0x600a25)} l1`]);
    const write = soft.write(0x600000n, 1n);
    assert.deepEqual(only(write, 'set_dirty_bit', 'get_page', 'set_spte'), [
      'set_dirty_bit 3018',
      'get_page 600 l1 new',
      `set_spte 600 ${hpaOf(0x600e67)} l1`,
    ]);
    const large = SLOTS_E.map((each) => ({ ...each, backing: { pageSize: 0x20_0000, populated: true } }));
    const huge = bench('soft', {}, { slots: large });
    assert.match(only(huge.read(0x600000n), 'set_spte')[0], /^set_spte 600 [0-9a-f]+aa5 l2$/);
    assert.match(only(huge.write(0x600000n, 1n), 'set_spte')[0], /ee7 l2$/);
  });

  it('10.14 host takes a page: leaf gone, guest entry untouched, next access brings it back', () => {
    for (const mmu of ['soft', 'ept', 'npt'] as const) {
      const machine = bench(mmu);
      machine.write(0x400000n, 1n);
      const entry = machine.word(0x4000);
      machine.do({ do: 'reclaim', vm: 0, hva: SLOTS_E[0].hva + 0x5000, size: 0x1000, origin: 0 });
      assert.equal(machine.word(0x4000), entry);
      const again = machine.read(0x400000n);
      assert.deepEqual([exitsOf(again), again.result.kind === 'ok' && again.result.value], [1, 0n], mmu);
    }
  });

  it('10.15 CR0.WP=0: writable without U, then readable without W, and back', () => {
    const soft = bench('soft');
    soft.read(0x400000n);
    const wp = soft.load('cr0', 0x8000_0031n);
    assert.deepEqual(only(wp, 'get_page'), ['get_page 1 l4 new']);
    assert.deepEqual(only(soft.write(0x401000n, 1n, false), 'set_spte'), [`set_spte 6 ${hpaOf(0x6e63)} l1`]);
    assert.equal(soft.word(0x4008), 0x6065n);
    const user = soft.read(0x401000n);
    assert.deepEqual(only(user, 'page_fault ', 'set_spte'), ['page_fault 401000 5', `set_spte 6 ${hpaOf(0x6a25)} l1`]);
    assert.deepEqual(only(soft.write(0x401000n, 2n, false), 'page_fault ', 'set_spte'), [
      'page_fault 401000 3',
      `set_spte 6 ${hpaOf(0x6e63)} l1`,
    ]);
    assert.equal(soft.write(0x401000n, 3n).result.kind, 'page-fault', 'users never write');
    assert.equal(exitsOf(bench('ept').load('cr0', 0x8000_0031n)), 0, 'the guest owns WP under EPT');
  });

  it('10.16 32-bit guest: four shadows of one directory, two of each table', () => {
    const words = { 0x1800: 0x2007_0000_0000n, 0x2800: 0x5007_0000_0000n };
    const soft = bench('soft', {}, { words, vcpu: { paging: '32-bit', efer: { nxe: false } } });
    const read = soft.read(0x8060_1000n);
    assert.deepEqual(only(read, 'get_page'), [
      'get_page 1 l2 new',
      'get_page 1 l2 new',
      'get_page 1 l2 new',
      'get_page 1 l2 new',
      'get_page 2 l1 new',
    ]);
    assert.deepEqual(only(read, 'paging_element', 'set_accessed_bit'), [
      'paging_element 2007 l2',
      'paging_element 5007 l1',
      'set_accessed_bit 1804',
      'set_accessed_bit 2804',
    ]);
    assert.equal(read.result.kind === 'ok' && read.result.gpa, 0x5000);
  });

  it('10.16 guest without paging: direct pages, no walk', () => {
    const soft = bench('soft', {}, { vcpu: { paging: 'none' } });
    const read = soft.read(0x5000n, false);
    assert.deepEqual(only(read, 'get_page'), [
      'get_page 0 l2 new',
      'get_page 40000 l2 new',
      'get_page 80000 l2 new',
      'get_page c0000 l2 new',
      'get_page 0 l1 new',
    ]);
    assert.deepEqual(only(read, 'pagetable_walk', 'set_spte'), [`set_spte 5 ${hpaOf(0x5e67)} l1`]);
  });

  it('10.19 memory slots: KVM’s answers', () => {
    const h0 = SLOTS_E[0].hva;
    const h1 = SLOTS_E[1].hva;
    const h2 = 0x7fff_0000_0000 - 0x1000_0000;
    const set = (id: number, gpa: number, size: number, hva: number, more = {}): string => {
      const { result } = bench('ept').do({ do: 'set-slot', vm: 0, slot: slot(id, gpa, size, { hva, ...more }), origin: 0 });
      return result.kind === 'error' ? result.errno : result.kind;
    };
    assert.equal(set(2, 0x1200000, 0x1000, h2), 'done');
    assert.equal(set(2, 0xfff000, 0x2000, h2), 'EEXIST');
    assert.equal(set(2, 0x2000000, 0x1000, h0), 'done');
    assert.equal(set(2, 0x2000800, 0x1000, h2), 'EINVAL');
    assert.equal(set(32764, 0x2000000, 0x1000, h2), 'EINVAL');
    assert.equal(set(2, 0x2000000, 0, h2), 'EINVAL');
    assert.equal(set(0, 0, 0x100_0000, h0), 'done');
    assert.equal(set(0, 0, 0x80_0000, h0), 'EINVAL');
    assert.equal(set(0, 0, 0x100_0000, h2), 'EINVAL');
    assert.equal(set(0, 0, 0x100_0000, h0, { readonly: true }), 'EINVAL');
    assert.equal(set(1, 0x80_0000, 0x20_0000, h1), 'EEXIST');
    assert.equal(set(1, 0x110_0000, 0x20_0000, h1), 'done');
    const { result } = bench('ept').do({ do: 'get-dirty-log', vm: 0, id: 0, origin: 0 });
    assert.equal(result.kind === 'error' && result.errno, 'ENOENT');
  });

  it('C9 a read-modify-write of a READONLY slot takes two exits: protection is given up first', () => {
    for (const mmu of ['soft', 'npt'] as const) {
      const machine = bench(mmu, {}, { slots: [SLOTS_E[0], { ...SLOTS_E[1], readonly: true }] });
      machine.read(0x406000n, false);
      const store = machine.write(0x406000n, 1n, false);
      assert.deepEqual([exitsOf(store), store.result.kind], [1, 'mmio'], mmu);
      const rmw = machine.rmw(0x406000n, 1n, false);
      assert.deepEqual([exitsOf(rmw), rmw.result.kind], [2, 'mmio'], mmu);
    }
  });

  it('M19 guest tables in a READONLY slot under nested paging: the load returns the entry when offsets are equal', () => {
    const slots = [{ ...SLOTS_E[0], readonly: true }, SLOTS_E[1]];
    for (const mmu of ['npt', 'ept'] as const) {
      const machine = bench(mmu, {}, { slots });
      const equal = machine.read(0x406000n, false).result;
      assert.deepEqual(equal.kind === 'ok' && [equal.gpa, equal.value], [0x1000, 0x2007n], mmu);
      const other = machine.read(0x406028n, false).result;
      assert.deepEqual(other.kind === 'ok' && [other.gpa, other.value], [0x1000028, 0n], mmu);
    }
    const soft = bench('soft', {}, { slots }).read(0x406000n, false).result;
    assert.deepEqual(soft.kind === 'ok' && soft.gpa, 0x1000000, 'soft MMU only reads them');
  });

  it('an access that makes no progress ends in an error after a bounded number of exits', () => {
    // A read without paging maps the table read-only; each walk under NPT is a write to it, which nothing can serve.
    const slots = [{ ...SLOTS_E[0], readonly: true }, SLOTS_E[1]];
    const npt = bench('npt', {}, { slots, vcpu: { paging: 'none' } });
    npt.read(0x1000n, false);
    npt.load('cr4', 0x20n);
    npt.load('efer', 0x900n);
    npt.load('cr0', 0x8001_0031n);
    const done = npt.read(0x400000n, false);
    assert.deepEqual([done.result.kind === 'error' && done.result.errno, exitsOf(done)], ['ELOOP', 512]);
  });
});
