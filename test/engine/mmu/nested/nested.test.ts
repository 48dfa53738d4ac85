/** A VM in a VM (mmu-semantics.md §7, §10): counts of a first access, and the worked examples of nested guests. */
import assert from 'node:assert/strict';
import type { Act, KvmOptions, MmuKind } from '../../../../server/src/engine/program';
import { exitsOf, host, slot, type Done } from '../machines';
import { L1, L2, NestedBench, SETUP_N, type Nested } from './nested-machines';

type Pair = readonly [l2: MmuKind, l1: MmuKind];
const HARD: Pair = ['ept', 'ept'];
const SVM: Pair = ['npt', 'npt'];
const SOFT_ON_EPT: Pair = ['soft', 'ept'];
const SOFT_ON_NPT: Pair = ['soft', 'npt'];
const SOFT: Pair = ['soft', 'soft'];

/** Setup N: L1 is warm, L2 was entered, nothing of it has been touched. */
function cold([l2, l1]: Pair, kvm: Partial<KvmOptions> = {}, more: Partial<Nested> = {}, shadowing = false): NestedBench {
  const made = host(l1 === 'npt' || l2 === 'npt' ? 'amd' : 'intel', { vmreads: 0, vmwrites: 0, ...kvm });
  const bench = new NestedBench({ l2, l1, host: { ...made, features: { ...made.features, vmcsShadowing: shadowing } }, ...more });
  bench.warm();
  bench.enter();
  return bench;
}

/** §10.0 "deck-warm": everything but the last stage's entry for the page 0x400000. */
function deckWarm(pair: Pair, kvm: Partial<KvmOptions> = {}, more: Partial<Nested> = {}): NestedBench {
  const bench = cold(pair, { kernel: '6.12', prefetch: false, ...kvm }, more);
  bench.read(0x40_1000n);
  return bench;
}

/** Events in this order, others between them. */
function inOrder({ events }: Done, wanted: readonly string[]): void {
  let at = 0;
  for (const event of events) if (event === wanted[at]) at++;
  assert.equal(at, wanted.length, `not seen: ${wanted[at]}\nin\n${events.join('\n')}`);
}

const count = (done: Done, event: string): number => done.events.filter((each) => each === event).length;

describe('a first access by L2, all cold (§7.6)', () => {
  const v = { vmreads: 2, vmwrites: 1 };
  for (const [name, pair, own, handled] of [
    ['soft on soft', SOFT, 4, 1],
    ['soft on ept', SOFT_ON_EPT, 7, 1],
    ['ept on ept', HARD, 17, 5],
  ] as const) {
    it(`${name}: ${own} exits, and v for each exit that L1 handles`, () => {
      assert.equal(exitsOf(cold(pair).read(0x40_0000n)), own);
      assert.equal(exitsOf(cold(pair, v).read(0x40_0000n)), own + 3 * handled);
      assert.equal(exitsOf(cold(pair, v, {}, true).read(0x40_0000n)), own);
    });
  }

  it('npt on npt: every VMRUN brings tables into step, so each store of L1 pays: 20', () => {
    assert.equal(exitsOf(cold(SVM).read(0x40_0000n)), 20);
    assert.equal(exitsOf(cold(SOFT_ON_NPT).read(0x40_0000n)), 7);
  });

  it('soft on ept with one EPT root: L1 has touched its own tables already', () => {
    assert.equal(exitsOf(cold(SOFT_ON_EPT, { shareEptRoot: true }).read(0x40_0000n)), 2);
  });

  it('a second access costs nothing, under any kind', () => {
    for (const pair of [SOFT, SOFT_ON_EPT, SOFT_ON_NPT, HARD, SVM]) {
      const bench = cold(pair);
      bench.read(0x40_0000n);
      assert.equal(exitsOf(bench.read(0x40_0008n)), 0, pair.join(' on '));
    }
  });
});

describe('the deck’s steps (§10.12)', () => {
  it('hard on hard', () => {
    const bench = deckWarm(HARD, { pml: true });
    // L1 has flushed, so its table is in step and protected again.
    bench.do({ do: 'invept', by: L1, type: 2, eptp: 0n, origin: 0 });
    bench.enter();
    const done = bench.read(0x40_0000n);
    inOrder(done, [
      'L0 exit 181',
      'L0 nested_vmexit 181',
      'L0 page_fault 5000 181',
      'L0 pagetable_walk 5000 4',
      'L0 paging_element 8000000000021907 l4',
      'L0 paging_element 8000000000022907 l3',
      'L0 paging_element 8000000000023907 l2',
      'L0 paging_element 8000000000000000 l1',
      'L0 walker_error 4',
      'L0 nested_vmexit_inject 48 181',
      'L0 entry',
      'L1 page_fault 5000 181',
      'L0 exit 1aa',
      'L0 page_fault 23028 1aa',
      'L0 fast_page_fault 23028 invalid',
      'L0 spte_requested 23 l1',
      'L0 unsync_page 23 l1',
      'L0 set_spte 23 8600000010023b77 l1',
      'L0 entry',
      'L0 nested_vmenter 10000 2005e',
      'L0 entry',
      'L0 exit 181',
      'L0 paging_element 8600000000405b77 l1',
      'L0 spte_requested 405 l1',
      'L0 set_spte 405 8620000010405b77 l1',
      'L0 entry',
    ]);
    assert.equal(exitsOf(done), 4);
    assert.deepEqual(bench.machine.entry('tdp', L2, 0x5000n, 1)?.value, 0x86200000_10405b77n);
    assert.deepEqual(bench.machine.entry('tdp12', L2, 0x5000n, 1)?.value, 0x86000000_00405b77n);
    assert.equal(bench.machine.word(0, 0x23028), 0x86000000_00405b77n);
  });

  it('soft on hard: L0 reflects without a walk, L1’s stores are free', () => {
    const bench = deckWarm(SOFT_ON_EPT);
    const done = bench.read(0x40_0000n);
    inOrder(done, [
      'L0 exit 400000',
      'L0 nested_vmexit 400000',
      'L0 nested_vmexit_inject 0 400000',
      'L0 entry',
      'L1 page_fault 400000 4',
      'L1 set_spte 5 405a25 l1',
      'L0 nested_vmenter 10000 20000',
      'L0 exit 181',
      'L0 page_fault 405000 181',
      'L0 spte_requested 405 l1',
      'L0 set_spte 405 8600000010405b77 l1',
    ]);
    assert.equal(count(done, 'L0 page_fault 400000 4'), 0);
    assert.equal(exitsOf(done), 3);
    assert.equal(bench.machine.word(0, 0x23000), 0x405a25n);
  });

  it('soft on soft: L0 walks L1’s tables, which are protected or unsync', () => {
    const bench = deckWarm(SOFT);
    const done = bench.read(0x40_0000n);
    inOrder(done, [
      'L0 exit 400000',
      'L0 page_fault 400000 4',
      'L0 paging_element 21827 l4',
      'L0 paging_element 8000000000000000 l1',
      'L0 walker_error 4',
      'L0 nested_vmexit_inject 0 400000',
      'L1 set_spte 5 405a25 l1',
      'L0 page_fault 23000 3',
      'L0 unsync_page 23 l1',
      'L0 nested_vmenter 10000 20000',
      'L0 paging_element 405a25 l1',
      'L0 set_spte 405 10405a25 l1',
    ]);
    assert.equal(exitsOf(done), 4);
    assert.equal(bench.machine.entry('shadow', L2, 0x40_0000n, 1)?.value, 0x1040_5a25n);
    assert.equal(bench.machine.entry('shadow12', L2, 0x40_0000n, 1)?.value, 0x40_5a25n);
  });

  it('a write after it (§10.2): by hardware, or once more through L1', () => {
    for (const [pair, exits] of [
      [HARD, 0],
      [SVM, 0],
      [SOFT_ON_EPT, 2],
      // The table is unsync since the read: L1's store is free.
      [SOFT, 3],
    ] as const) {
      const bench = deckWarm(pair);
      bench.read(0x40_0000n);
      assert.equal(exitsOf(bench.write(0x40_0000n, 1n)), exits, pair.join(' on '));
      assert.equal(bench.machine.word(1, 0x4000), 0x5067n);
    }
  });

  it('a true fault (§10.3, §7.4): to L2 without an exit, or injected by L1 as the event of its VM entry', () => {
    for (const pair of [HARD, SVM]) {
      const done = deckWarm(pair).write(0x40_1000n, 1n);
      assert.deepEqual([done.result.kind, exitsOf(done)], ['page-fault', 0]);
    }
    for (const pair of [SOFT, SOFT_ON_EPT]) {
      const done = deckWarm(pair).write(0x40_1000n, 1n);
      assert.deepEqual(done.result, { kind: 'page-fault', error: 7, address: 0x40_1000n });
      inOrder(done, ['L1 walker_error 7', 'L1 inj_exception 7', 'L0 nested_vmenter 10000 20000', 'L0 entry']);
      assert.equal(count(done, 'L0 inj_exception 7'), 0);
    }
  });
});

describe('hard on hard', () => {
  it('L1 revokes write (§10.13): in force after INVEPT, then an EPT violation that L1 sees', () => {
    const bench = deckWarm(HARD, {}, { hypervisor: 'script', l1Words: EPT12, control: { root: 0x2_0000 } });
    assert.equal(enter(bench, 'vmlaunch').result.kind, 'done');
    assert.equal(bench.write(0x40_0000n, 1n).result.kind, 'ok');
    bench.store(0x2_3028, 0x86000000_00405b75n);
    const invept = bench.do({ do: 'invept', by: L1, type: 1, eptp: 0x2_005en, origin: 0 });
    assert.deepEqual(invept.exits, [{ reason: 'INVEPT', count: 1 }]);
    const resumed = enter(bench, 'vmresume');
    inOrder(resumed, ['L0 nested_vmenter 10000 2005e', 'L0 get_page 20 l4 existing', 'L0 sync_page 23 l1', 'L0 entry']);
    const done = bench.write(0x40_0000n, 2n);
    inOrder(done, ['L0 exit 1aa', 'L0 page_fault 5000 1aa', 'L0 walker_error 3', 'L0 nested_vmexit_inject 48 1aa']);
    assert.deepEqual(done.result, { kind: 'vm-exit', reason: 'EPT_VIOLATION', code: 48, info1: 0x1aan, info2: 0n, gpa: 0x5000, error: 0 });
    assert.equal(bench.machine.word(1, 0x5000), 1n);
  });

  it('L2 touches a device that L0 emulates (§10.17): L1 sees nothing of it', () => {
    const bench = deckWarm(
      HARD,
      {},
      { hypervisor: 'script', control: { root: 0x2_0000 }, l1Words: { ...EPT12, 0x2_3030: 0x86000000_d0000b07n } },
    );
    enter(bench, 'vmlaunch');
    bench.read(0x40_0000n);
    const first = bench.read(0x40_1000n);
    assert.deepEqual([first.result.kind, first.exits], ['mmio', [{ reason: 'EPT_VIOLATION', count: 1 }]]);
    inOrder(first, ['L0 page_fault 6000 181', 'L0 mark_mmio_spte d0000 6 2', 'L0 pagetable_walk 401000 4', 'L0 pagetable_walk 1000 6']);
    // The emulator's walk: four entries of L2's tables and the page, each through four entries of EPT12.
    assert.equal(first.events.filter((event) => event.startsWith('L0 paging_element')).length, 4 + 24);
    const second = bench.read(0x40_1000n);
    assert.deepEqual(second.exits, [{ reason: 'EPT_MISCONFIG', count: 1 }]);
    inOrder(second, ['L0 check_mmio_spte 1', 'L0 handle_mmio_page_fault d0000']);
  });

  it('a 2M leaf in EPT12 (§10.18): direct pages beneath it on 4K host pages, one leaf on a huge one', () => {
    const words = { ...SETUP_N, 0x4008: 0x23_4007n };
    const ept12 = { ...EPT12, 0x2_2008: 0x86000000_00600bf7n };
    const more = { hypervisor: 'script', words, l1Words: ept12, control: { root: 0x2_0000 } } as const;
    const small = deckWarm(HARD, { pml: true }, more);
    enter(small, 'vmlaunch');
    const done = small.read(0x40_1000n);
    inOrder(done, ['L0 spte_requested 634 l1', 'L0 get_page 600 l1 new', 'L0 set_spte 634 8620000010634b77 l1']);
    assert.equal(count(done, 'L0 nested_vmexit_inject 48 181'), 0);

    const backing = { pageSize: 0x20_0000, populated: true };
    const large = deckWarm(HARD, { pml: true }, { ...more, l1Slots: [slot(0, 0, 0x100_0000, { backing })] });
    enter(large, 'vmlaunch');
    const once = large.read(0x40_1000n);
    inOrder(once, ['L0 set_spte 600 8620000010600bf7 l2']);
  });

  it('accessed and dirty flags of EPT12 are L0’s to set; a clean page is mapped read-only until it is written', () => {
    const ept12 = { ...EPT12, 0x2_3028: 0x405037n };
    const bench = deckWarm(HARD, {}, { hypervisor: 'script', l1Words: ept12, control: { root: 0x2_0000 } });
    enter(bench, 'vmlaunch');
    inOrder(bench.read(0x40_0000n), ['L0 set_accessed_bit 23028', 'L0 spte_requested 405 l1']);
    const done = bench.write(0x40_0000n, 1n);
    inOrder(done, ['L0 exit 1aa', 'L0 set_dirty_bit 23028', 'L0 spte_requested 405 l1']);
    assert.equal(bench.machine.word(0, 0x2_3028), 0x405337n);
  });
});

/** L1's EPT for setup N: all of L2's first 512 pages, accessed and dirty. */
const EPT12: Record<number, bigint> = { 0x2_0000: 0x2_1907n, 0x2_1000: 0x2_2907n, 0x2_2000: 0x2_3907n };
for (let page = 0; page < 512; page++) EPT12[0x2_3000 + page * 8] = 0x86000000_00000b77n | BigInt((0x400 + page) << 12);

function enter(bench: NestedBench, instruction: 'vmlaunch' | 'vmresume' | 'vmrun'): Done {
  return bench.do({ do: 'vmenter', by: L1, instruction, guest: 1, origin: 0 });
}

describe('MMIO of L2 (§10.8)', () => {
  const device = 0x40_2000n;
  it('hard on hard: an EPT violation, then an EPT misconfiguration, as L1 sees it', () => {
    const bench = cold(HARD);
    assert.equal(bench.read(device, false).result.kind, 'mmio');
    inOrder(bench.read(device, false), ['L0 exit 181', 'L0 walker_error d', 'L0 nested_vmexit_inject 49 181', 'L1 emulate_insn']);
  });

  it('soft on soft: the reserved bit in L1’s entry makes the fault that L1 sees', () => {
    const bench = cold(SOFT);
    bench.read(device, false);
    inOrder(bench.read(device, false), ['L0 page_fault 402000 0', 'L0 walker_error 9', 'L1 page_fault 402000 9', 'L1 emulate_insn']);
  });
});

describe('what L0 does to memory under L2', () => {
  const all = [SOFT, SOFT_ON_EPT, SOFT_ON_NPT, HARD, SVM];

  it('reclaims a page (§10.14): L0 alone serves the next access', () => {
    for (const pair of all) {
      const bench = cold(pair);
      bench.read(0x40_0000n);
      bench.do({ do: 'reclaim', vm: 0, hva: 0x7f00_0040_5000, size: 0x1000, origin: 0 });
      const done = bench.read(0x40_0000n);
      assert.deepEqual([done.result.kind, exitsOf(done)], ['ok', 1], pair.join(' on '));
      assert.equal(done.events.filter((event) => event.startsWith('L0 nested_vmexit_inject')).length, 0);
    }
  });

  it('logs dirty pages (§10.9): nothing of it is reflected, and every page written is reported', () => {
    for (const pair of all) {
      const bench = cold(pair);
      bench.write(0x40_0000n, 1n);
      bench.do({ do: 'slot-flags', vm: 0, id: 0, logDirty: true, readonly: false, origin: 0 });
      bench.do({ do: 'get-dirty-log', vm: 0, id: 0, origin: 0 });
      const done = bench.write(0x40_0000n, 2n);
      assert.equal(done.events.filter((event) => event.startsWith('L0 nested_vmexit_inject')).length, 0, pair.join(' on '));
      const { result } = bench.do({ do: 'get-dirty-log', vm: 0, id: 0, origin: 0 });
      assert.ok(result.kind === 'dirty-log' && result.gpas.includes(0x40_5000), pair.join(' on '));
    }
  });

  it('zaps everything: tables of L1 stay, and L1 is not told', () => {
    for (const pair of all) {
      const bench = cold(pair);
      bench.write(0x40_0000n, 7n);
      bench.do({ do: 'zap-all', vm: 0, origin: 0 });
      const done = bench.read(0x40_0000n);
      assert.ok(done.result.kind === 'ok' && done.result.value === 7n);
      assert.equal(done.events.filter((event) => event.startsWith('L1 ')).length, 0, pair.join(' on '));
    }
  });
});

describe('a hypervisor that the script plays', () => {
  const base = { hypervisor: 'script', control: { root: 0x2_0000 } } as const;

  it('gets the exits of its guest as results; its guest runs only when it is entered', () => {
    const bench = new NestedBench({ l2: 'ept', l1: 'ept', l1Words: { 0x2_0000: 0n }, ...base });
    assert.deepEqual(bench.read(0x40_0000n).result.kind, 'error');
    assert.equal(enter(bench, 'vmresume').result.kind, 'error');
    assert.equal(enter(bench, 'vmlaunch').result.kind, 'done');
    const { result } = bench.read(0x40_0000n);
    assert.deepEqual(result, { kind: 'vm-exit', reason: 'EPT_VIOLATION', code: 48, info1: 0x83n, info2: 0n, gpa: 0x1000, error: 0 });
    assert.equal(bench.read(0x40_0000n).result.kind, 'error');
  });

  it('writes its control structure: a root, a VPID', () => {
    const bench = new NestedBench({ l2: 'ept', l1: 'ept', l1Words: EPT12, hypervisor: 'script' });
    const write = (field: 'eptp' | 'vpid', value: bigint): Done => bench.do({ do: 'vmcs', by: L1, guest: 1, field, value, origin: 0 });
    assert.deepEqual(write('eptp', 0x2_005en).exits, [{ reason: 'VMWRITE', count: 1 }]);
    write('vpid', 5n);
    enter(bench, 'vmlaunch');
    assert.equal(bench.read(0x40_0000n).result.kind, 'ok');
    assert.equal(bench.machine.control(L2, 'eptp'), 0x2_005en);
    assert.equal(bench.machine.control(L2, 'vpid'), 5n);
  });

  it('is refused nested paging above a soft MMU: VMRUN ends in VMEXIT_INVALID, VMLAUNCH fails', () => {
    const svm = new NestedBench({ l2: 'npt', l1: 'soft', ...base });
    const { result } = enter(svm, 'vmrun');
    assert.ok(result.kind === 'vm-exit' && result.reason === 'invalid');
    const vmx = new NestedBench({ l2: 'ept', l1: 'soft', ...base });
    const failed = enter(vmx, 'vmlaunch').result;
    assert.ok(failed.kind === 'error' && failed.errno === 'VMfailValid');
  });

  it('makes its guest leave when it acts itself', () => {
    const bench = new NestedBench({ l2: 'ept', l1: 'ept', l1Words: EPT12, ...base });
    enter(bench, 'vmlaunch');
    bench.read(0x40_0000n);
    const done = bench.store(0x3_0000, 1n);
    inOrder(done, ['L0 nested_vmexit 0', 'L0 nested_vmexit_inject 1 0', 'L0 entry']);
    assert.equal(bench.read(0x40_0000n).result.kind, 'error');
    assert.equal(enter(bench, 'vmresume').result.kind, 'done');
  });
});

describe('machines that cannot be', () => {
  it('a hard MMU of an L1 that is KVM, on a soft one', () => {
    const bench = new NestedBench({ l2: 'ept', l1: 'soft' });
    assert.equal(bench.machine.setup.length, 1);
    const { result } = bench.read(0x40_0000n);
    assert.ok(result.kind === 'error' && result.errno === 'EOPNOTSUPP' && /only when it uses it itself/.test(result.why));
  });

  it('an instruction of L2 that always exits goes to L1 and back', () => {
    for (const pair of [SOFT, SOFT_ON_EPT, HARD, SVM]) {
      const done = cold(pair).do({ do: 'instruction', by: L2, instruction: 'cpuid', origin: 0 } as Act);
      assert.deepEqual([done.result.kind, exitsOf(done)], ['done', 2], pair.join(' on '));
    }
  });
});
