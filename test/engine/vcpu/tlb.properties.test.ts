import assert from 'node:assert/strict';
import fc from 'fast-check';
import { NaiveMachine, type NaiveAccess, type NaiveResult } from '../x86/naive-machine';
import { Random } from '../x86/random';
import { randomWorld, type World } from '../x86/random-world';
import { ALL_CACHES, Subject, TLB } from '../x86/subject';

const seeds = fc.integer({ min: 0, max: 0x7fff_ffff });

/** What a walk of the words as they are would come to; they are left alone. */
function walk(subject: Subject, { state }: World, access: NaiveAccess): NaiveResult {
  return new NaiveMachine(subject.words(), state).access(access);
}

/** Replace, give or take bits of a random entry; half of the time one that leads somewhere else. */
function edit(subject: Subject, random: Random): void {
  const words = [...subject.words()].filter(([address]) => address >= 0x20_0000n);
  const [address, value] = random.pick(words);
  const [, other] = random.pick(words);
  const changed = random.chance(50) ? value ^ (1n << BigInt(random.pick([0, 1, 2, 5, 6, 63]))) : (value & 0xfffn) | (other & ~0xfffn);
  subject.store(address, changed);
}

describe('a TLB in front of random tables that change', () => {
  it('gives what the tables say when every change is followed by an invalidation', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const world = randomWorld(seed, { paging: seed % 2 === 0 ? '4-level' : '5-level' });
        const random = new Random(seed);
        const subject = new Subject(world.state, world.words, ALL_CACHES, seed % 3 === 0);
        for (let i = 0; i < 24; i++) {
          const access = random.pick(world.accesses);
          const wanted = walk(subject, world, access);
          assert.deepEqual(subject.access(access), wanted);
          if (!random.chance(30)) continue;
          edit(subject, random);
          subject.processor.invalidations.everything();
        }
      }),
      { numRuns: 150, seed: 1 },
    );
  });

  it('gives a frame that the tables gave since the last invalidation, or what they say now (mmu-semantics.md §9, L1)', () => {
    let stale = 0;
    fc.assert(
      fc.property(seeds, (seed) => {
        const world = randomWorld(seed, { paging: '4-level' });
        const random = new Random(seed);
        const subject = new Subject(world.state, world.words, TLB, false);
        const page = (access: NaiveAccess): bigint => access.linear & ~0xfffn;
        let given = new Map<bigint, Set<bigint>>();
        const observe = (): void => {
          for (const access of world.accesses) {
            for (const kind of ['read', 'write', 'fetch'] as const) {
              const result = walk(subject, world, { ...access, kind });
              if (result.outcome !== 'ok') continue;
              const frames = given.get(page(access)) ?? new Set();
              given.set(page(access), frames.add(result.physical & ~0xfffn));
            }
          }
        };
        observe();
        for (let i = 0; i < 20; i++) {
          const access = random.pick(world.accesses);
          const now = walk(subject, world, access);
          const got = subject.access(access);
          if (got.outcome !== 'ok') assert.deepEqual(got, now, 'a fault is never stale here');
          else {
            assert.ok(given.get(page(access))?.has(got.physical & ~0xfffn), 'a frame that no walk gave');
            if (now.outcome !== 'ok' || now.physical !== got.physical) stale++;
          }
          if (random.chance(40)) edit(subject, random);
          if (random.chance(10)) {
            subject.processor.invalidations.everything();
            given = new Map();
          }
          observe();
        }
      }),
      { numRuns: 30, seed: 1 },
    );
    assert.ok(stale > 0, 'no stale translation came about');
  });
});
