import assert from 'node:assert/strict';
import fc from 'fast-check';
import { NaiveMachine } from './naive-machine';
import { randomWorld } from './random-world';
import { ALL_CACHES, NO_TLB, Subject, TLB } from './subject';

const seeds = fc.integer({ min: 0, max: 0x7fff_ffff });
const sorted = (words: ReadonlyMap<bigint, bigint>): [bigint, bigint][] =>
  [...words].filter(([, value]) => value !== 0n).sort(([a], [b]) => (a < b ? -1 : 1));

describe('walks of random tables', () => {
  for (const { name, tlb, journal } of [
    { name: 'quick and careful walks', tlb: NO_TLB, journal: false },
    { name: 'with rows', tlb: NO_TLB, journal: true },
    { name: 'a TLB', tlb: TLB, journal: false },
    { name: 'all caches', tlb: ALL_CACHES, journal: true },
  ]) {
    it(`agree with the naive machine: ${name}`, () => {
      fc.assert(
        fc.property(seeds, (seed) => {
          const { state, words, accesses } = randomWorld(seed);
          const subject = new Subject(state, words, tlb, journal);
          if (subject.refused) return;
          // Loading CR3 has read PDPTEs, which sets flags in the second stage.
          const naive = new NaiveMachine(subject.words(), state);
          for (const access of accesses) {
            const before = subject.processor.references;
            const result = naive.access(access);
            assert.deepEqual(subject.access(access), result);
            assert.deepEqual(sorted(subject.words()), sorted(naive.words));
            if (!tlb.on) assert.equal(subject.processor.references - before, naive.references);
            subject.processor.invalidations.everything();
          }
        }),
        { numRuns: 400 },
      );
    });
  }

  it('change nothing but accessed and dirty flags, never back, and only on the way of the access', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const { state, words, accesses } = randomWorld(seed);
        const subject = new Subject(state, words, NO_TLB, false);
        if (subject.refused) return;
        const ept = state.second?.type === 'ept';
        for (const access of accesses) {
          const before = subject.words();
          const naive = new NaiveMachine(new Map(before), state);
          naive.access(access);
          subject.access(access);
          for (const [address, value] of subject.words()) {
            const old = before.get(address) ?? 0n;
            if (value === old) continue;
            assert.ok(naive.path.includes(address), `0x${address.toString(16)} is not on the way`);
            const guestFlags = state.paging === '32-bit' ? 0x60_0000_0060n : 0x60n;
            const flags = ept && address >= 0x1000_0000n && address < 0x2000_0000n ? 0x300n : guestFlags;
            assert.equal((value ^ old) & ~flags, 0n, 'another bit changed');
            assert.equal(value & old, old, 'a flag was cleared');
          }
          const after = subject.words();
          for (const [address, old] of before) assert.equal((after.get(address) ?? 0n) & old, old);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('let no more through when a right is taken away at any level', () => {
    fc.assert(
      fc.property(seeds, fc.nat(), (seed, choice) => {
        const { state, words, accesses } = randomWorld(seed);
        const [access] = accesses;
        const before = new Subject(state, words, NO_TLB, false);
        if (before.refused) return;
        const result = before.access(access);
        const naive = new NaiveMachine(new Map(words), state);
        naive.access(access);
        if (naive.path.length === 0) return;
        // Less of anything that allows: R/W off, XD on (where it is a bit at all), R, W or X of EPT off.
        const address = naive.path[choice % naive.path.length];
        const old = words.get(address) ?? 0n;
        const ept = state.second?.type === 'ept' && address >= 0x1000_0000n && address < 0x2000_0000n;
        const lessens = ept
          ? [old & ~1n, old & ~2n, old & ~4n]
          : [old & ~2n, ...(state.paging === '32-bit' && address >= 0x2000_0000n ? [] : [old | (1n << 63n)])];
        const lessened = lessens[(choice >>> 8) % lessens.length];
        const after = new Subject(state, new Map(words).set(address, lessened), NO_TLB, false);
        if (after.refused) return;
        if (after.access(access).outcome === 'ok') assert.equal(result.outcome, 'ok');
      }),
      { numRuns: 400 },
    );
  });

  it('find the same through a large page as through its pieces', () => {
    let compared = 0;
    fc.assert(
      fc.property(seeds, fc.constantFrom(2, 3), (seed, level) => {
        const { state, words, accesses } = randomWorld(seed, { paging: seed % 2 === 0 ? '4-level' : '5-level', second: 'none' });
        const [access] = accesses;
        const naive = new NaiveMachine(new Map(words), state);
        naive.access(access);
        // The entry of this level becomes a large page, or leads to a table of its pieces.
        const depth = (state.paging === '5-level' ? 5 : 4) - level;
        const at = naive.path[depth];
        if (at === undefined || naive.path.indexOf(at) !== depth || (level === 3 && !state.page1G)) return;
        compared++;
        const size = 1n << BigInt(12 + 9 * (level - 1));
        const flags = (words.get(at) ?? 0n) & 0xf800_0000_0000_0f67n & ~0x80n;
        const index = (n: number): bigint => 8n * ((access.linear >> BigInt(3 + 9 * n)) & 511n);
        const full = 0x67n;
        const split = new Map(words).set(at, 0x3000_0000n | full | (flags & 1n));
        let table = 0x3000_0000n;
        if (level === 3) {
          split.set(table + index(2), (table + 0x1000n) | full);
          table += 0x1000n;
        }
        split.set(table + index(1), (size + (access.linear & (size - 1n) & ~0xfffn)) | flags);
        const whole = new Subject(state, new Map(words).set(at, flags | 0x80n | size), NO_TLB, false);
        assert.deepEqual(whole.access(access), new Subject(state, split, NO_TLB, false).access(access));
      }),
      { numRuns: 600 },
    );
    assert.ok(compared > 100, 'few cases had such an entry');
  });
});
