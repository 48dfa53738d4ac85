import { strict as assert } from 'node:assert';
import { json } from '../../server/src/export/json';
import { smallRun, URI } from './record';
import { validate } from './schema';

describe('runs as JSON', () => {
  const printed = [
    ...json({ file: 'a.mmu', uri: URI, views: [smallRun(), smallRun('guest under npt')], held: 2, failed: 2, exitStatus: 1 }),
  ].join('');

  it('follow the published schema', () => {
    assert.equal(validate(JSON.parse(printed)), true, JSON.stringify(validate.errors));
  });

  it('have outcomes, events with fields, and changes with old and new values', () => {
    const { runs, summary } = JSON.parse(printed) as {
      runs: { statements: unknown[]; outcomes: { result: object }[]; events: { event: string; changes?: object[] }[] }[];
      summary: object;
    };
    assert.equal(runs.length, 2);
    assert.deepEqual(runs[0].statements[0], { line: 10, column: 3, text: 'user read 0x40_0123' });
    assert.deepEqual(runs[0].outcomes[0].result, { kind: 'ok', gpa: '0x5123', hva: '0x7f0000005123', hpa: '0x1004123', value: '0x5' });
    assert.deepEqual(runs[0].events[2], {
      row: 3,
      actor: 'L0',
      event: 'kvm_exit',
      level: 0,
      statement: 0,
      fields: {
        reason: '0x30',
        info1: '0x181',
        info2: '0x0',
        intr_info: '0x0',
        error_code: '0x0',
        rip: '0x10000',
        vcpu: '0x0',
        guest_mode: '0x0',
      },
      changes: [{ space: 'memory', key: '0x1000', from: '0x2007', to: '0x2027' }],
    });
    assert.deepEqual(summary, { runs: 2, held: 2, failed: 2, exitStatus: 1 });
  });

  it('put one event on a line', () => {
    assert.equal(printed.split('\n').filter((line) => line.startsWith('{"row"')).length, 8);
  });
});
