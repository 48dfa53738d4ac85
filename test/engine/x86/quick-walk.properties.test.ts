import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ROW_WORDS, type Journal } from '../../../server/src/engine/journal/journal';
import type { Walker } from '../../../server/src/engine/x86/walker';
import { randomWorld } from './random-world';
import { NO_TLB, Subject } from './subject';

/** What QuickWalker.quickWalk does, reached as nothing but a test may. */
interface Quick {
  quickWalk(lo: number, hi: number, access: number): boolean;
}

/** Watch, or forbid, the quick walks of a processor. */
function quickWalks(subject: Subject, allowed: boolean): () => number {
  let done = 0;
  for (const walker of [subject.processor.first, subject.processor.second] as unknown as Quick[]) {
    const quickWalk = walker.quickWalk.bind(walker);
    walker.quickWalk = (lo, hi, access) => {
      const settled = allowed && quickWalk(lo, hi, access);
      if (settled) done++;
      return settled;
    };
  }
  return () => done;
}

const results = ({ status, level, rights, leafLo, leafHi, hostLo, hostHi, outLo, outHi, hostRights, references }: Walker): object => ({
  status,
  level,
  rights,
  leafLo,
  leafHi,
  hostLo,
  hostHi,
  outLo,
  outHi,
  hostRights,
  references,
});
const rowsOf = (journal: Journal): number[] => [...journal.words.subarray(0, journal.length * ROW_WORDS)];

describe('quick walks', () => {
  for (const journal of [false, true]) {
    it(`come to what careful ones come to, ${journal ? 'row by row' : 'without a journal'}`, () => {
      let settled = 0;
      fc.assert(
        fc.property(fc.integer({ min: 0, max: 0x7fff_ffff }), (seed) => {
          const { state, words, accesses } = randomWorld(seed);
          const quick = new Subject(state, words, NO_TLB, journal);
          const careful = new Subject(state, words, NO_TLB, journal);
          if (quick.refused) return;
          const done = quickWalks(quick, true);
          quickWalks(careful, false);
          // Twice: the first time sets the flags that a quick walk wants to find.
          for (const access of [...accesses, ...accesses]) {
            assert.deepEqual(quick.access(access), careful.access(access));
            const succeeded = careful.processor.outcome === 0;
            for (const stage of succeeded ? (['first', 'second'] as const) : []) {
              if (stage === 'second' && state.second === null) continue;
              assert.deepEqual(results(quick.processor[stage]), results(careful.processor[stage]));
            }
            assert.equal(quick.processor.references, careful.processor.references);
          }
          assert.deepEqual(rowsOf(quick.journal), rowsOf(careful.journal));
          assert.deepEqual(quick.words(), careful.words());
          settled += done();
        }),
        { numRuns: 600 },
      );
      assert.ok(settled > 300, `only ${settled} walks were quick`);
    });
  }

  for (const paging of ['4-level', '5-level'] as const) {
    it(`give up at a reserved bit of an entry that leads to a table, whatever the leaf is, ${paging}`, () => {
      const { state } = randomWorld(1, { paging, second: 'none' });
      const levels = paging === '5-level' ? 5 : 4;
      const tables = Array.from({ length: levels + 1 }, (_, i) => 0x20_0000n + 0x1000n * BigInt(i));
      const access = { linear: 0n, kind: 'read', user: false, implicit: false, ac: false } as const;
      const plain = { ...state, cr3: tables[0], nxe: false, smap: false, pke: false, pks: false };
      // Bit 7 is reserved where no entry maps a page, bit 63 without NXE.
      for (const [level, bit] of [
        [4, 7],
        [5, 7],
        [4, 63],
        [2, 63],
      ].filter(([each]) => each <= levels)) {
        const words = new Map(
          tables.slice(0, levels).map((table, i) => [table, (table + 0x1000n) | 0x67n | (i === levels - level ? 1n << BigInt(bit) : 0n)]),
        );
        assert.deepEqual(new Subject(plain, words, NO_TLB, false).access(access), { outcome: 'pf', error: 9 }, `level ${level} bit ${bit}`);
      }
    });

    it(`do not take a root beyond all memory for another one, ${paging}`, () => {
      const { state } = randomWorld(1, { paging, second: 'none' });
      const full = 0x67n;
      // Four tables and a page, each the first entry of the one before.
      const tables = Array.from({ length: 6 }, (_, i) => 0x20_0000n + 0x1000n * BigInt(i));
      const words = new Map(tables.map((table) => [table, (table + 0x1000n) | full]));
      const access = { linear: 0n, kind: 'read', user: false, implicit: false, ac: false } as const;
      const plain = { ...state, smap: false, pke: false, pks: false };
      assert.equal(new Subject({ ...plain, cr3: tables[0] }, words, NO_TLB, false).access(access).outcome, 'ok');
      for (let distance = 1n << 20n; distance < 1n << 36n; distance <<= 1n) {
        const elsewhere = new Subject({ ...plain, cr3: tables[0] + distance }, words, NO_TLB, false);
        assert.deepEqual(elsewhere.access(access), { outcome: 'pf', error: 0 }, `0x${distance.toString(16)} further`);
      }
    });
  }

  it('leave a journal without room for them to careful ones, which fill it', () => {
    const { state, words, accesses } = randomWorld(3, { paging: '4-level', second: 'ept' });
    const subject = new Subject(state, words, NO_TLB, true);
    const { journal } = subject;
    const full = journal.limit - journal.length;
    assert.ok(journal.reserve(full));
    assert.ok(!journal.reserve(full + 1));
    assert.equal(journal.full, false);
    journal.length = journal.limit - 1;
    for (const access of accesses) subject.access(access);
    assert.equal(journal.length, journal.limit);
    assert.equal(journal.full, true);
  });
});
