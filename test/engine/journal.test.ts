/** The journal's writer: an event that is written with its first change, one that goes on, and the event that changes belong to. */
import assert from 'node:assert/strict';
import { Kind } from '../../server/src/engine/journal/events';
import { Journal, ROW_WORDS } from '../../server/src/engine/journal/journal';
import { Space } from '../../server/src/engine/journal/spaces';

const kindAt = ({ words }: Journal, row: number): Kind => words[row * ROW_WORDS] & 0xff;

describe('an event that is written with its first change', () => {
  const written = (write: (journal: Journal) => void): string[] => {
    const journal = new Journal();
    write(journal);
    return Array.from({ length: journal.length }, (_, row) => Kind[kindAt(journal, row)]);
  };
  const drop = (journal: Journal) => (): void => journal.row(Kind.drop_spte, 1, 0, 0, 0, 0, 0);

  it('is not there when nothing changes', () => {
    assert.deepEqual(
      written((journal) => {
        journal.dueTo(drop(journal));
        journal.change(Space.memory, 8, 0, 0);
        journal.row(Kind.kvm_exit, 0, 0, 0, 0, 0, 0);
        journal.change(Space.memory, 8, 1, 0);
      }),
      ['kvm_exit', 'change'],
    );
  });

  it('comes once before several changes', () => {
    assert.deepEqual(
      written((journal) => {
        journal.dueTo(drop(journal));
        journal.change(Space.memory, 8, 1, 0);
        journal.change(Space.memory, 16, 1, 0);
      }),
      ['drop_spte', 'change', 'change'],
    );
  });

  it('comes before what another changes for it, but does not go on for that', () => {
    assert.deepEqual(
      written((journal) => {
        journal.dueTo(drop(journal));
        journal.begin();
        journal.row(Kind.value, 0, 0, 0, 0, 0, 0);
        journal.change(Space.memory, 8, 1, 0);
        journal.goesOn(0);
        journal.begin();
        journal.row(Kind.value, 0, 0, 0, 0, 0, 0);
        journal.change(Space.memory, 16, 1, 0);
      }),
      ['drop_spte', 'value', 'change', 'value', 'change'],
    );
  });

  it('is still due, or goes on, after rows that came in between', () => {
    const others = (journal: Journal) => (): void => journal.row(Kind.kvm_exit, 0, 0, 0, 0, 0, 0);
    assert.deepEqual(
      written((journal) => {
        journal.row(Kind.kvm_zap_rmap, 0, 0, 0, 0, 0, 0);
        journal.interlude(others(journal));
        journal.change(Space.memory, 8, 1, 0);
        journal.dueTo(drop(journal));
        journal.interlude(others(journal));
        journal.change(Space.memory, 16, 1, 0);
        journal.goesOn(0);
        journal.interlude(() => undefined);
        journal.change(Space.memory, 24, 1, 0);
      }),
      ['kvm_zap_rmap', 'kvm_exit', 'continued', 'change', 'kvm_exit', 'drop_spte', 'change', 'continued', 'change'],
    );
  });

  it('goes on where others came in between, and only there', () => {
    assert.deepEqual(
      written((journal) => {
        journal.row(Kind.kvm_entry, 0, 0, 0, 0, 0, 0);
        journal.goesOn(0);
        journal.change(Space.register, 8, 1, 0);
        journal.row(Kind.kvm_exit, 0, 0, 0, 0, 0, 0);
        for (const key of [16, 24]) {
          journal.goesOn(0);
          journal.change(Space.register, key, 1, 0);
        }
      }),
      ['kvm_entry', 'change', 'kvm_exit', 'continued', 'change', 'change'],
    );
  });
});

describe('the event that changes belong to now', () => {
  it('is known without looking at rows twice', () => {
    const journal = new Journal();
    assert.equal(journal.current, -1);
    journal.row(Kind.vmm_write, 0, 0, 0, 0, 0, 0);
    // A second look at each row would take minutes.
    for (let word = 0; word < 300_000; word++) {
      journal.goesOn(0);
      journal.change(Space.memory, word * 8, 1, 0);
    }
    assert.equal(journal.length, 300_001);
    assert.equal(journal.current, 0);
    journal.row(Kind.kvm_exit, 0, 0, 0, 0, 0, 0);
    assert.equal(journal.current, 300_001);
    journal.goesOn(0);
    journal.change(Space.memory, 0, 1, 0);
    assert.equal(journal.current, 0);
    journal.length = 0;
    assert.equal(journal.current, -1);
  });
});
