import { strict as assert } from 'node:assert';
import { Actor, Kind } from '../../server/src/engine/journal/events';
import { Space } from '../../server/src/engine/journal/spaces';
import { Journal } from '../../server/src/engine/journal/journal';
import type { Program } from '../../server/src/engine/program';
import type { StepFilter } from '../../server/src/protocol/messages';
import { StepFilterIndex } from '../../server/src/views/step-filter';
import { RunView } from '../../server/src/views/view';

const REPEAT = 500;
const view = (() => {
  const journal = new Journal();
  for (let i = 0; i < REPEAT; i++) {
    journal.actor = Actor.user;
    journal.row(Kind.statement, 0, 0, 0, 0, 0, 0);
    journal.actor = Actor.processor;
    journal.row(Kind.access, 0, 4, 0x40_0000 + i, 0, 8, 0);
    journal.row(Kind.change, 0, Space.memory, 0x2000, 0, 7, 0);
    journal.actor = Actor.L0;
    journal.row(Kind.kvm_exit, 0, 48, 1, 0, 2, 0);
    journal.row(Kind.more, 0, 0, 3, 0, 4, 5);
  }
  const program = { name: 'guest', machine: { host: {}, vms: [] }, acts: [], budget: {} } as unknown as Program;
  const record = { program, words: journal.words, length: journal.length, setup: 0, outcomes: [], ended: { how: 'done' as const } };
  const range = { start: { line: 3, character: 0 }, end: { line: 3, character: 9 } };
  return new RunView(record, { statements: [{ uri: 'file:///a.mmu', range, text: 'user read 0x40_0000' }] });
})();

function filtered(filter: StepFilter, slice = 64): StepFilterIndex {
  const index = new StepFilterIndex(view, filter);
  while (!index.scan(slice));
  return index;
}

describe('filter of steps', () => {
  it('passes all steps when it asks for nothing', () => {
    assert.equal(filtered({}).length, view.steps.length);
    assert.equal(filtered({ actors: [], kinds: [], text: ' ' }).length, view.steps.length);
  });

  it('keeps the steps of actors and of kinds', () => {
    assert.equal(filtered({ actors: ['L0'] }).length, REPEAT);
    assert.equal(filtered({ actors: ['L0', 'user'] }).length, 2 * REPEAT);
    assert.equal(filtered({ kinds: ['exit'] }).length, REPEAT);
    assert.equal(filtered({ kinds: ['exit'], actors: ['processor'] }).length, 0);
    assert.deepEqual(
      filtered({ kinds: ['exit'] })
        .rows(2, 2)
        .map(({ step, kind }) => [step, kind]),
      [
        [8, 'exit'],
        [11, 'exit'],
      ],
    );
  });

  it('finds text in events, words and addresses, however digits are grouped and letters written', () => {
    assert.equal(filtered({ text: 'KVM_Exit' }).length, REPEAT);
    for (const text of ['0x400005', '0x40_0005', '0X40_0005']) assert.equal(filtered({ text }).rows(0, 9)[0].step, 3 * 5 + 1, text);
    assert.equal(filtered({ text: 'no such' }).length, 0);
  });

  it('gives rows by position, fewer at the end', () => {
    const index = filtered({ actors: ['user'] });
    assert.equal(index.rows(REPEAT - 2, 10).length, 2);
    assert.equal(index.rows(REPEAT, 10).length, 0);
  });

  it('knows the position of a step, or of the last one before it that passes', () => {
    const index = filtered({ actors: ['L0'] });
    assert.deepEqual(index.placeOf(5), { position: 1, step: 5 });
    assert.deepEqual(index.placeOf(7), { position: 1, step: 5 });
    assert.deepEqual(index.placeOf(8), { position: 2, step: 8 });
    assert.equal(index.placeOf(1), null);
  });

  it('is the same whatever the slices', () => {
    for (const slice of [1, 7, 10_000])
      assert.deepEqual(
        filtered({ kinds: ['exit', 'statement'] }, slice).rows(0, 50),
        filtered({ kinds: ['exit', 'statement'] }).rows(0, 50),
      );
  });
});
