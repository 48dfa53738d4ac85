import { strict as assert } from 'node:assert';
import { emit } from '../../server/src/engine/journal/emit';
import { STAGE_GUEST, STAGE_SECOND } from '../../server/src/engine/journal/events';
import { Journal } from '../../server/src/engine/journal/journal';
import { referencesOf, type References } from '../../server/src/views/way/references';

/** Reads of entries in this order: `g4` of the guest's level 4, `s4` of the second stage's. */
function made(reads: string): References {
  const journal = new Journal();
  for (const [stage, level] of reads.split(' '))
    emit(journal, 'table_read', { stage: stage === 's' ? STAGE_SECOND : STAGE_GUEST, level: Number(level), address: 0x1000, entry: 7 });
  return referencesOf(journal);
}

const levels = ({ reads }: { readonly reads: ReadonlyMap<number, unknown> }): number[] => [...reads.keys()];

describe('entries that a processor reads', () => {
  it('are of the walk to an entry of the guest, or of the last one, which is of the page', () => {
    const { first, tables, last, count } = made('s4 s3 s2 s1 g2 s4 s3 s2 s1 g1 s4 s3 s2 s1');
    assert.deepEqual([levels(first), levels(tables.get(2)!), levels(tables.get(1)!), levels(last), count], [
      [2, 1],
      [4, 3, 2, 1],
      [4, 3, 2, 1],
      [4, 3, 2, 1],
      14,
    ]); // prettier-ignore
    assert.equal(last.reads.get(1)!.number, 14);
  });

  it('are of no last walk where all ended at an entry of the guest, or the page needs none', () => {
    for (const reads of ['s2 s1 g2 s2 s1 g1', 'g2 g1']) assert.deepEqual(levels(made(reads).last), []);
  });
});
