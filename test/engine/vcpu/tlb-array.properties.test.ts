import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Journal } from '../../../server/src/engine/journal/journal';
import { TlbArray } from '../../../server/src/engine/vcpu/tlb-array';

const SETS = 4;
const TAG = 5;

/** A set as a list of pages, the most recently used one first. */
type Model = { readonly page: number; frame: number }[];

const steps = fc.array(
  fc.record({
    what: fc.constantFrom('put', 'put', 'put', 'find', 'find', 'drop'),
    page: fc.integer({ min: 0, max: 31 }),
    frame: fc.integer({ min: 1, max: 0xfffff }),
  }),
  { maxLength: 120 },
);

describe('an array of cached translations', () => {
  for (const [name, together, ways] of [
    ['of few ways, words of a line together', true, 4],
    ['of many ways, keys together', false, 12],
    ['direct-mapped', false, 1],
  ] as const) {
    it(`${name}: finds what was put last for a page, and gives up the least recently used line of a set`, () => {
      fc.assert(
        fc.property(steps, (todo) => {
          const array = new TlbArray(new Journal(), 0, 0, SETS, ways, together);
          const model: Model[] = Array.from({ length: SETS }, () => []);
          for (const { what, page, frame } of todo) {
            const lo = page * 4096;
            const key = lo | TAG;
            const set = array.setOf(lo, 0, 12);
            const lines = model[page % SETS];
            const known = lines.findIndex((line) => line.page === page);
            if (what === 'put') {
              if (known >= 0) lines.splice(known, 1);
              else if (lines.length === ways) lines.pop();
              lines.unshift({ page, frame });
              array.note(array.put(set, key, 0, frame * 4096, 0), page, 0);
              continue;
            }
            const line = array.find(set, key, 0);
            assert.equal(line >= 0, known >= 0);
            if (line < 0) continue;
            const [found] = lines.splice(known, 1);
            assert.equal(array.frame(line), (found.frame * 4096) | 0);
            assert.equal(array.originLo(line), page);
            if (what === 'drop') array.drop(line);
            else {
              array.touch(line);
              lines.unshift(found);
            }
          }
          const keys = Array.from({ length: array.lines }, (_, line) => array.key(line)).filter((key) => key !== 0);
          const expected = model.flat().map(({ page }) => (page * 4096) | TAG);
          assert.deepEqual(
            keys.sort((a, b) => a - b),
            expected.sort((a, b) => a - b),
          );
          assert.equal(array.used, expected.length);
        }),
        { numRuns: 300 },
      );
    });
  }
});
