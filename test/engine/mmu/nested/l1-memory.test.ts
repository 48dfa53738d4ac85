/** The memory that a hypervisor in a guest runs in: what it does there, it does on its vCPU, from the beginning. */
import assert from 'node:assert/strict';
import { Actor } from '../../../../server/src/engine/journal/events';
import type { Act, MmuKind } from '../../../../server/src/engine/program';
import { eventAt, type EventOf } from '../../../../server/src/events/fields';
import { slot } from '../machines';
import { L1, L2_BASE, NestedBench } from './nested-machines';

const PAIRS: readonly (readonly [l2: MmuKind, l1: MmuKind])[] = [
  ['soft', 'soft'],
  ['soft', 'ept'],
  ['ept', 'ept'],
  ['npt', 'npt'],
];
/** Of L2. */
const PAGE = 0x5000;

const poke = (gpa: number, value: bigint): Act => ({ do: 'host-write', vm: 1, gpa, value, origin: 0 });
const reclaim: Act = { do: 'reclaim', vm: 1, hva: L2_BASE + PAGE, size: 0x1000, origin: 0 };

describe('a hypervisor in a guest, before its first VM entry', () => {
  for (const [l2, l1] of PAIRS) {
    it(`runs on its vCPU when its KVM makes a root, which costs what its memory costs: ${l2} on ${l1}`, () => {
      const { events } = new NestedBench({ l2, l1 }).read(0x40_0000n);
      const entered = events.findIndex((event) => event.startsWith('L0 entry'));
      const root = events.findIndex((event) => event.startsWith('L1 get_page'));
      assert.ok(entered >= 0 && root > entered, events.slice(0, 10).join('\n'));
      const touched = events.findIndex((event, at) => at > entered && event.startsWith('L0 page_fault '));
      const launched = events.findIndex((event) => event.startsWith('L0 nested_vmenter'));
      assert.ok(touched >= 0 && touched < launched, events.slice(0, 20).join('\n'));
    });

    it(`gives its guest empty pages, when what was there is reclaimed: ${l2} on ${l1}`, () => {
      const bench = new NestedBench({ l2, l1 });
      bench.do(poke(PAGE + 8, 0x77n));
      bench.do(reclaim);
      bench.do(poke(PAGE, 1n));
      assert.equal(bench.machine.word(1, PAGE), 1n);
      assert.equal(bench.machine.word(1, PAGE + 8), 0n);
    });
  }
});

describe('a hypervisor in a guest above shadow tables', () => {
  /** L1's own tables: 0x20_0000 and on is L2's memory, the first megabyte of them the tables. */
  const TABLES = 0x30_0000;
  const PT = TABLES + 0x4000;
  const l1Words: Record<number, bigint> = {
    [TABLES]: BigInt(TABLES + 0x1000) | 3n,
    [TABLES + 0x1000]: BigInt(TABLES + 0x2000) | 3n,
    [TABLES + 0x2000]: BigInt(TABLES + 0x3000) | 3n,
    [TABLES + 0x2008]: BigInt(PT) | 3n,
  };
  for (let page = 0; page < 16; page++) {
    l1Words[TABLES + 0x3000 + page * 8] = BigInt(TABLES + page * 0x1000) | 3n;
    l1Words[PT + page * 8] = BigInt(L2_BASE + page * 0x1000) | 3n;
  }

  it('stores where its tables lead now, not where they once did', () => {
    const bench = new NestedBench({ l2: 'soft', l1: 'soft', l1Words, l1Vcpu: { paging: '4-level', cr3: BigInt(TABLES) } });
    bench.do(poke(PAGE, 1n));
    // The address by which it reached the page leads to another one.
    const index = PAGE / 0x1000;
    bench.store(PT + index * 8, BigInt(L2_BASE + 0x8000) | 3n);
    bench.do({ do: 'invlpg', by: L1, address: BigInt(0x20_0000 + PAGE), origin: 0 });
    bench.do(poke(PAGE, 2n));
    assert.equal(bench.machine.word(1, PAGE), 2n);
    assert.equal(bench.machine.word(1, 0x8000), 0n);
  });
});

describe('an event of a hypervisor in a guest that is worth a row only if something changes', () => {
  it('stands before the stores that make the change', () => {
    const bench = new NestedBench({
      l2: 'soft',
      l1: 'soft',
      words: { 0x1000: 0x2007n, 0x2000: 0x3007n, 0x3018: 0x60_0087n },
      slots: [slot(0, 0, 0x80_0000, { hva: L2_BASE })],
    });
    bench.read(0x60_0000n);
    const from = bench.journal.length;
    // A large page of the guest becomes dirty: the page of small sptes for it was made without W.
    bench.write(0x60_0000n, 1n);
    const { journal } = bench;
    const events = Array.from({ length: journal.length - from }, (_, i) => eventAt(journal, from + i)).filter((event) => event !== null);
    const at = events.findIndex(({ name, actor }) => name === 'drop_spte' && actor === Actor.L1);
    const sptep = (events[at] as EventOf<'drop_spte'> | undefined)?.fields.sptep;
    const emptied = events.findIndex(
      (event) => event.name === 'kvm_mmu_pte_write' && event.actor === Actor.L0 && event.fields.gpa === sptep && event.fields.new === 0n,
    );
    assert.ok(at >= 0 && emptied > at, events.map(({ name, actor }) => `${Actor[actor]} ${name}`).join('\n'));
  });
});
