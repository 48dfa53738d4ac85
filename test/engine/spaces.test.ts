/** Keys of the spaces of changes: what is put in comes out, and no two things share a key. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { SPACES, Space, spaceSpec } from '../../server/src/engine/journal/spaces';
import { Journal } from '../../server/src/engine/journal/journal';
import { State } from '../../server/src/engine/journal/state';

const ALL = Object.values(Space).filter((space): space is Space => typeof space === 'number');

const natBelow = (bits: number): fc.Arbitrary<number> => fc.integer({ min: 0, max: 2 ** bits - 1 });

describe('keys of changes', () => {
  for (const space of ALL) {
    const { name, key } = spaceSpec(space);
    const fields = fc.record(Object.fromEntries(Object.entries(key.bits).map(([field, bits]) => [field, natBelow(bits)])), {
      noNullPrototype: true,
    });

    it(`of ${name} are read as they were written, through the journal too`, () => {
      fc.assert(
        fc.property(fields, fields, (one, other) => {
          const at = key.encode(one);
          assert.ok(Number.isSafeInteger(at));
          assert.deepEqual(key.decode(at), one);
          for (const field of Object.keys(one)) {
            assert.equal(key.field(at, field), one[field]);
            assert.deepEqual(key.decode(key.with(at, field, other[field])), { ...one, [field]: other[field] });
          }
          const journal = new Journal();
          journal.change(space, at, -1, 5);
          const words = new State(journal).seek(1).space(space);
          assert.deepEqual([...words.keys()], [at]);
          assert.equal(words.get(at), 0x5_ffff_ffffn);
        }),
      );
    });
  }

  it('fit into 53 bits', () => {
    for (const space of ALL) assert.ok(Object.values(spaceSpec(space).key.bits).reduce((sum, bits) => sum + bits, 0) <= 53);
  });

  it('have names of their own', () => {
    assert.equal(new Set(ALL.map((space) => SPACES[space].name)).size, ALL.length);
  });

  it('are written when something changes only', () => {
    const journal = new Journal();
    journal.change(Space.memory, 8, 0, 0);
    assert.equal(journal.length, 0);
  });
});
