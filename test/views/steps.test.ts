import { strict as assert } from 'node:assert';
import { Actor, Kind } from '../../server/src/engine/journal/events';
import { Space } from '../../server/src/engine/journal/spaces';
import { Journal } from '../../server/src/engine/journal/journal';
import type { Program } from '../../server/src/engine/program';
import type { RunRecord } from '../../server/src/run/record';
import { eventAt, fieldNamed, fieldsOf } from '../../server/src/events/fields';
import { StepIndex } from '../../server/src/views/steps';
import type { Script } from '../../server/src/views/view';

const uri = 'file:///a.mmu';
const place = (line: number, text: string) => ({ uri, range: { start: { line, character: 2 }, end: { line, character: 9 } }, text });
const script: Script = { statements: [place(3, 'user read 0x1000'), place(7, 'user write 0x2000')] };

function record(write: (journal: Journal) => void): RunRecord {
  const journal = new Journal();
  write(journal);
  const program = { name: 'guest', machine: { host: {}, vms: [] }, acts: [], budget: {} } as unknown as Program;
  return { program, words: journal.words, length: journal.length, setup: 1, outcomes: [], ended: { how: 'done' } };
}

function statement(journal: Journal, origin: number): void {
  journal.actor = Actor.user;
  journal.row(Kind.statement, 0, 0, origin, 0, 0, 0);
}

const sample = record((journal) => {
  journal.row(Kind.change, 0, Space.memory, 0x1000, 0, 7, 0); // 0
  statement(journal, 0); // 1
  journal.actor = Actor.processor;
  journal.row(Kind.access, 0, 4, 0x1000, 0, 8, 0); // 2
  journal.row(Kind.change, 0, Space.memory, 0x2000, 0, 7, 0); // 3
  journal.actor = Actor.L0;
  journal.row(Kind.kvm_exit, 0, 48, 1, 0, 2, 0); // 4
  journal.row(Kind.more, 0, 0, 3, 0, 4, 5); // 5
  statement(journal, 1); // 6
  statement(journal, 0); // 7
});

describe('steps of a run', () => {
  const steps = new StepIndex(sample, script);

  it('are its events, without changes of state and continued rows', () => {
    assert.equal(steps.length, 5);
    assert.deepEqual(
      [0, 1, 2, 3, 4, 5].map((step) => steps.rowOf(step)),
      [1, 2, 4, 6, 7, 8],
    );
  });

  it('have actor, event, text, address and the line of the statement that caused them', () => {
    const rows = steps.rows(0, 10);
    assert.deepEqual(rows[0], {
      step: 0,
      actor: 'user',
      event: 'statement',
      text: 'user read 0x1000',
      address: null,
      line: 3,
      kind: 'statement',
    });
    assert.deepEqual(rows[1], {
      step: 1,
      actor: 'processor',
      event: 'access',
      text: 'user read 0x1000',
      address: '0x1000',
      line: 3,
      kind: 'other',
    });
    assert.equal(rows[2].kind, 'exit');
    assert.equal(rows[3].line, 7);
  });

  it('that go on are told as what they are', () => {
    const rows = new StepIndex(
      record((journal) => {
        journal.actor = Actor.L0;
        journal.row(Kind.kvm_page_track_add, 0, 0, 5, 0, 1, 0);
        journal.row(Kind.kvm_exit, 0, 48, 1, 0, 2, 0);
        journal.goesOn(0);
        journal.change(Space.memory, 0x1000, 7, 0);
      }),
      script,
    ).rows(0, 10);
    assert.deepEqual(
      rows.map(({ event }) => event),
      ['kvm_page_track_add', 'kvm_exit', 'kvm_page_track_add'],
    );
    assert.deepEqual([rows[0].text, rows[2].text, rows[2].kind], ['gfn 0x5', 'goes on · gfn 0x5', rows[0].kind]);
  });

  it('come by range, fewer at the end and none beyond', () => {
    assert.deepEqual(
      steps.rows(3, 100).map(({ step }) => step),
      [3, 4],
    );
    assert.deepEqual(steps.rows(5, 10), []);
    assert.deepEqual(steps.rows(-2, 1), []);
  });

  it('are found by row, statement and line', () => {
    assert.equal(steps.stepOfRow(5), 2);
    assert.equal(steps.stepOfRow(0), 0);
    assert.equal(steps.stepOfOrigin(1), 3);
    assert.equal(steps.stepOfOrigin(9), null);
    assert.equal(steps.stepAtLine(uri, 7), 3);
    assert.equal(steps.stepAtLine(uri, 6), 0);
    assert.equal(steps.stepAtLine(uri, 2), null);
    assert.equal(steps.stepAtLine('file:///b.mmu', 7), null);
  });

  it('leave the set-up without a statement', () => {
    assert.equal(steps.originOfRow(0), null);
    assert.equal(steps.originOfRow(5), 0);
    assert.equal(steps.originOfRow(7), 0);
  });
});

describe('fields of an event', () => {
  it('go on in the row after it', () => {
    const exit = eventAt(sample, 4)!;
    assert.deepEqual(
      fieldsOf(exit).map(({ name, value }) => [name, value]),
      [
        ['reason', 48n],
        ['info1', 1n],
        ['info2', 2n],
        ['intr_info', 3n],
        ['error_code', 0n],
        ['rip', 0x5_0000_0004n],
        ['vcpu', 0n],
        ['guest_mode', 0n],
      ],
    );
    assert.deepEqual(fieldNamed(exit, 'info2'), { name: 'info2', kind: 'exit_info', value: 2n });
    assert.equal(fieldNamed(exit, 'nothing'), null);
  });

  it('are 0 behind the end of a full journal', () => {
    const cut = { words: sample.words, length: 5 };
    assert.deepEqual(
      fieldsOf(eventAt(cut, 4)!).map(({ value }) => value),
      [48n, 1n, 2n, 0n, 0n, 0n, 0n, 0n],
    );
    assert.equal(eventAt(cut, 5), null);
  });
});
