/** KVM's options one by one: what a scenario shows with each of them off, or other than kernel 6.1 has it (program.ts: KvmOptions). */
import assert from 'node:assert/strict';
import { Role } from '../../../server/src/engine/mmu/pages/role';
import type { KvmOptions, MmuKind } from '../../../server/src/engine/program';
import { Bench, BY, SETUP_E, exitsOf, host, slot, type Done, type Guest } from './machines';

const bench = (mmu: MmuKind, kvm: Partial<KvmOptions> = {}, more: Partial<Guest> = {}): Bench =>
  new Bench({ mmu, host: host(mmu === 'npt' ? 'amd' : 'intel', { prefetch: false, ...kvm }), ...more });

const only = (done: Done, ...names: string[]): string[] => done.events.filter((event) => names.some((name) => event.startsWith(name)));
const counted = (done: Done, name: string): number => only(done, name).length;
const spte = (machine: Bench, address: bigint): bigint => machine.machine.entry('shadow', BY, address, 1)?.value ?? 0n;
const tdpLeaf = (machine: Bench, gpa: bigint): { level: number; value: bigint } => machine.machine.entry('tdp', BY, gpa, 0)!;
const log = (machine: Bench, id = 0): Done => machine.do({ do: 'slot-flags', vm: 0, id, logDirty: true, readonly: false, origin: 0 });
const get = (machine: Bench, id = 0): readonly number[] => {
  const { result } = machine.do({ do: 'get-dirty-log', vm: 0, id, origin: 0 });
  return result.kind === 'dirty-log' ? result.gpas : [];
};
/** Setup E with A set everywhere: what a prefetch takes. */
const USED = { ...SETUP_E, 0x4000: 0x5067n, 0x4008: 0x6065n, 0x4010: 0x7067n, 0x4018: 0x8047n, 0x4020: 0x4063n };
/** A large page of the guest with a host page of 2M behind it. */
const LARGE: Partial<Guest> = { slots: [slot(0, 0, 0x100_0000, { backing: { pageSize: 0x20_0000, populated: true } })] };
const W = 2n;
const A = 0x20n;
const D = 0x40n;

describe('options of KVM', () => {
  it('prefetch: neighbours that were used come with the first fault, up to the first that was not; without it they stay away', () => {
    const on = bench('soft', { prefetch: true }, { words: USED });
    on.read(0x400000n);
    assert.equal(spte(on, 0x402000n) & (A | D | W), D | W, 'writable and dirty, not accessed');
    assert.equal(spte(on, 0x401000n) & (A | D | W), 0n, 'read-only');
    assert.equal(spte(on, 0x403000n), 0n, 'A is clear');
    assert.equal(spte(on, 0x404000n), 0n, 'behind it nothing is looked at');
    assert.equal(exitsOf(on.read(0x402000n)), 0);
    const off = bench('soft', {}, { words: USED });
    off.read(0x400000n);
    assert.deepEqual(
      [0x401000n, 0x402000n].map((address) => spte(off, address)),
      [0n, 0n],
    );
    assert.equal(exitsOf(off.read(0x402000n)), 1);
  });

  it('prefetch maps tables of the guest read-only, and makes none unsync (M2)', () => {
    const machine = bench('soft', { prefetch: true }, { words: { ...USED, 0x4018: 0x8067n, 0x4028: 0x3063n } });
    machine.read(0x400000n);
    for (const address of [0x404000n, 0x405000n]) {
      const entry = spte(machine, address);
      assert.equal(entry & 3n, 1n, 'present, not writable');
    }
    assert.ok(machine.machine.pageState(0, 0x4000, 'synced'));
  });

  it('prefetch off in the older direct MMU: one page a fault instead of eight', () => {
    for (const [prefetch, exits] of [
      [true, 0],
      [false, 1],
    ] as const) {
      const machine = bench('npt', { tdpMmu: false, prefetch });
      machine.read(0x400000n);
      assert.equal(exitsOf(machine.read(0x401000n)), exits);
    }
  });

  it('unsync off: every write to a level-1 table is emulated, and takes effect at once', () => {
    const machine = bench('soft', { unsync: false });
    machine.read(0x400000n);
    for (const value of [0x7067n, 0x8067n]) {
      const done = machine.write(0x404000n, value, false);
      assert.equal(exitsOf(done), 1);
      assert.deepEqual(only(done, 'emulate', 'pte_write', 'unsync'), ['emulate_insn', `pte_write 4000 ${value.toString(16)}`]);
      assert.ok(machine.machine.pageState(0, 0x4000, 'synced'));
      const read = machine.read(0x400000n);
      assert.equal(read.result.kind === 'ok' && read.result.gpa, Number(value & ~0xfffn));
    }
  });

  it('large pages off: 4K leaves under a large guest page and under a large host page', () => {
    const levels = (largePages: boolean): number[] =>
      (['soft', 'ept', 'npt'] as const).map((mmu) => {
        const machine = bench(mmu, { largePages }, LARGE);
        machine.read(0x600000n);
        if (mmu !== 'soft') return tdpLeaf(machine, 0x600000n).level;
        return machine.machine.entry('shadow', BY, 0x600000n, 0)!.level;
      });
    assert.deepEqual(levels(true), [2, 2, 2]);
    assert.deepEqual(levels(false), [1, 1, 1]);
  });

  it('fast page fault off: write protection of the dirty log is undone by the whole way, with as many exits', () => {
    const write = (fastPageFault: boolean): Done => {
      const machine = bench('ept', { fastPageFault, eptAd: false });
      machine.write(0x400000n, 1n);
      log(machine);
      const done = machine.write(0x400000n, 2n);
      assert.deepEqual(get(machine), [0x5000]);
      return done;
    };
    const fast = write(true);
    assert.deepEqual([exitsOf(fast), counted(fast, 'fast_page_fault'), counted(fast, 'spte_requested')], [1, 1, 0]);
    const slow = write(false);
    assert.deepEqual([exitsOf(slow), counted(slow, 'fast_page_fault'), counted(slow, 'spte_requested')], [1, 0, 1]);
  });

  it('cached roots: a root that is kept is used as it is; one that is not is found in the hash, at each load', () => {
    const roots = [0x1000n, 0x9000n, 0xa000n];
    const words = { ...SETUP_E, 0x9000: 0x2007n, 0xa000: 0x2007n };
    const found = (cachedRoots: number, order: readonly number[]): number => {
      const machine = bench('soft', { cachedRoots }, { words });
      machine.read(0x400000n);
      for (const root of roots) machine.load('cr3', root);
      return order.map((root) => counted(machine.load('cr3', roots[root]), 'get_page')).reduce((sum, each) => sum + each, 0);
    };
    assert.equal(found(3, [0, 1, 2, 0]), 0);
    assert.equal(found(2, [0, 1, 2, 0]), 0, 'two previous ones and the current');
    assert.equal(found(1, [1, 2, 1]), 0, 'the last one is kept');
    assert.equal(found(1, [0, 1, 2]), 3, 'three roots in turn are too many');
    assert.equal(found(0, [1, 2, 1]), 3, 'none is kept');
  });

  it('flooding: the n-th emulated write without a use in between zaps the table; with 0 none ever does', () => {
    const window = 0x80_0000_0000n;
    const words = { ...SETUP_E, 0x1008: 0xa007n, 0xa000: 0xb007n, 0xb000: 0xc007n, 0xc000: 0x3063n };
    const zaps = (flooding: number): number[] => {
      const machine = bench('soft', { flooding }, { words });
      machine.read(0x400000n);
      machine.read(window, false);
      return [1, 2, 3, 4, 5].map(() => counted(machine.write(window + 0x18n, 0n, false), 'prepare_zap_page'));
    };
    assert.deepEqual(zaps(3), [0, 0, 1, 0, 0]);
    assert.deepEqual(zaps(1), [1, 0, 0, 0, 0]);
    assert.deepEqual(zaps(5), [0, 0, 0, 0, 1]);
    assert.deepEqual(zaps(0), [0, 0, 0, 0, 0]);
  });

  it('TDP MMU off: direct shadow pages in the hash, with reverse maps, counted against the limit', () => {
    for (const mmu of ['ept', 'npt'] as const) {
      const older = bench(mmu, { tdpMmu: false });
      const done = older.read(0x400000n);
      assert.equal(counted(done, 'tdp_mmu_spte_changed'), 0);
      assert.ok(older.machine.shadowPages(0).every(({ tdpMmu, role }) => !tdpMmu && (role & Role.direct) !== 0));
      const newer = bench(mmu);
      assert.ok(counted(newer.read(0x400000n), 'tdp_mmu_spte_changed') > 0);
      assert.ok(newer.machine.shadowPages(0).every(({ tdpMmu }) => tdpMmu));
      assert.deepEqual(tdpLeaf(older, 0x5000n).value & 0xfffn, tdpLeaf(newer, 0x5000n).value & 0xfffn, 'the same leaves');
    }
  });

  it('PML: writes are logged without exits, and a full buffer is one; without it each page costs an exit', () => {
    const words: Record<number, bigint> = { 0x1000: 0x2067n, 0x2000: 0x3067n, 0x3010: 0x4067n, 0x3018: 0x5067n };
    for (let i = 0; i < 1024; i++) words[0x4000 + i * 8] = BigInt(0x20_0000 + i * 0x1000) | 0x67n;
    const run = (pml: boolean): { exits: Map<string, number>; pages: number } => {
      const machine = bench('ept', { pml, largePages: false }, { words });
      for (let i = 0; i < 600; i++) machine.write(0x400000n + BigInt(i) * 0x1000n, 1n);
      log(machine);
      const exits = new Map<string, number>();
      for (let i = 0; i < 600; i++) {
        for (const { reason, count } of machine.write(0x400000n + BigInt(i) * 0x1000n, 2n).exits)
          exits.set(reason, (exits.get(reason) ?? 0) + count);
      }
      return { exits, pages: get(machine).filter((gpa) => gpa >= 0x20_0000).length };
    };
    const logged = run(true);
    assert.deepEqual([...logged.exits], [['PML_FULL', 1]]);
    assert.equal(logged.pages, 600);
    const trapped = run(false);
    assert.equal(trapped.pages, 600);
    assert.ok((trapped.exits.get('EPT_VIOLATION') ?? 0) >= 600);
  });

  it('EPT A/D off: walks only read the guest’s tables, leaves carry no A and D, and PML cannot be', () => {
    const without = bench('ept', { eptAd: false, pml: true });
    const first = only(without.read(0x400000n), 'page_fault ');
    assert.deepEqual(
      first,
      ['1000 81', '2000 81', '3010 81', '4000 81', '5000 181'].map((fault) => `page_fault ${fault}`),
    );
    assert.equal(tdpLeaf(without, 0x5000n).value & 0x300n, 0n);
    without.write(0x400000n, 1n);
    log(without);
    assert.equal(exitsOf(without.write(0x400000n, 2n)), 1, 'the page itself, not the tables');
    const with_ = bench('ept');
    with_.read(0x400000n);
    assert.equal(tdpLeaf(with_, 0x5000n).value & 0x300n, 0x300n);
  });

  it('nr_mmu_pages: fewer than five free, and the oldest go until 25 are (M10)', () => {
    const words: Record<number, bigint> = { 0x1000: 0x2067n, 0x2000: 0x3067n };
    for (let i = 0; i < 80; i++) {
      words[0x3000 + i * 8] = BigInt(0x10_0000 + i * 0x1000) | 0x67n;
      words[0x10_0000 + i * 0x1000] = 0x50_0067n;
    }
    const machine = bench('soft', { nrMmuPages: 64 }, { words });
    const zapped: number[] = [];
    for (let i = 0; i < 80; i++) {
      const done = machine.read(BigInt(i) * 0x20_0000n);
      assert.equal(done.result.kind, 'ok');
      zapped.push(counted(done, 'prepare_zap_page'));
      assert.deepEqual(machine.machine.brokenInvariants(), []);
      assert.ok(machine.machine.shadowPages(0).length <= 64);
    }
    // The root and two tables above the page tables: 57 of these make 60 pages. The two go first, and come back.
    assert.deepEqual(
      zapped.flatMap((count, i) => (count > 0 ? [[i, count]] : [])),
      [
        [57, 21],
        [76, 21],
      ],
    );
    assert.equal(exitsOf(machine.read(0n)), 1, 'what was recycled is made anew');
  });

  it('dirty log initially set: all pages at first, nothing protected, GET leaves it, CLEAR protects', () => {
    for (const [mmu, kvm] of [
      ['soft', {}],
      ['ept', {}],
      ['ept', { pml: true }],
      ['npt', { tdpMmu: false }],
    ] as const) {
      const machine = bench(mmu, { dirtyLogInitiallySet: true, ...kvm });
      const name = `${mmu} ${JSON.stringify(kvm)}`;
      machine.write(0x400000n, 1n);
      const on = log(machine);
      assert.equal(counted(on, 'flush_remote_tlbs'), 0, name);
      assert.equal(get(machine).length, 0x1000, name);
      assert.equal(exitsOf(machine.write(0x400000n, 2n)), 0, `${name}: not protected`);
      assert.equal(get(machine).length, 0x1000, `${name}: GET changes nothing`);
      machine.do({ do: 'clear-dirty-log', vm: 0, id: 0, first: 0, pages: 64, origin: 0 });
      assert.deepEqual(get(machine).slice(0, 1), [64 * 0x1000], name);
      const write = machine.write(0x400000n, 3n);
      assert.equal(exitsOf(write) > 0, !('pml' in kvm), `${name}: protected, or watched by PML`);
      assert.ok(get(machine).includes(0x5000), name);
    }
  });

  it('dirty log initially set: a large leaf stays until a page of it is cleared, then it is divided', () => {
    for (const mmu of ['ept', 'npt'] as const) {
      const machine = bench(mmu, { dirtyLogInitiallySet: true }, LARGE);
      machine.write(0x600000n, 1n);
      log(machine);
      assert.equal(tdpLeaf(machine, 0x600000n).level, 2);
      machine.do({ do: 'clear-dirty-log', vm: 0, id: 0, first: 0x600, pages: 64, origin: 0 });
      assert.equal(tdpLeaf(machine, 0x600000n).level, 1);
      assert.equal(exitsOf(machine.write(0x600000n, 1n)) > 0, true);
      assert.deepEqual(machine.machine.brokenInvariants(), []);
    }
  });
});
