import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Space, SPACES } from '../../../server/src/engine/journal/spaces';
import { Journal } from '../../../server/src/engine/journal/journal';
import { State } from '../../../server/src/engine/journal/state';
import { DirtyLog } from '../../../server/src/engine/memory/dirty-log';

describe('dirty log', () => {
  it('gives what was written since the last time, once', () => {
    const log = new DirtyLog(new Journal(), 0, 0, 0, 200);
    for (const page of [5, 64, 199, 5, 31, 32]) log.mark(page);
    assert.deepEqual(log.dirty(), [5, 31, 32, 64, 199]);
    assert.deepEqual(log.take(), [5, 31, 32, 64, 199]);
    assert.deepEqual(log.take(), []);
  });

  it('starts full, with no bit beyond the slot', () => {
    const log = new DirtyLog(new Journal(), 0, 0, 0, 70);
    log.setAll();
    assert.equal(log.dirty().length, 70);
    assert.deepEqual(log.take(64, 64), [64, 65, 66, 67, 68, 69]);
    assert.equal(log.dirty().length, 64);
  });

  it('stands in the journal as 64-bit words', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 300 })), { maxLength: 40 }), (acts) => {
        const journal = new Journal();
        const log = new DirtyLog(journal, 1, 1, 3, 301);
        const model = new Set<number>();
        for (const [mark, page] of acts) {
          if (mark) {
            log.mark(page);
            model.add(page);
          } else {
            log.take(page, 7);
            for (let i = 0; i < 7; i++) model.delete(page + i);
          }
        }
        const words = new State(journal).seek(journal.length).space(Space.dirtyLog);
        const seen: number[] = [];
        for (let page = 0; page < 301; page++) {
          const word = words.get(SPACES[Space.dirtyLog].key.encode({ vm: 1, addressSpace: 1, slot: 3, word: Math.floor(page / 64) }));
          if (((word >> BigInt(page % 64)) & 1n) !== 0n) seen.push(page);
        }
        assert.deepEqual(
          seen,
          [...model].sort((a, b) => a - b),
        );
        assert.deepEqual(log.dirty(), seen);
      }),
    );
  });
});
