/** What the machine cannot have as declared is said once, and nothing is executed. */
import assert from 'node:assert/strict';
import { runScript, text } from '../../server/src/api/engine';
import { openScript } from '../../server/src/api/language';
import { foundDiagnostics, runDiagnostics } from '../../server/src/services/diagnostics';

const SCENARIO = `host { memory 64M }
vm guest {
  slot 0 { gpa 0  size 1G }
  vcpu { paging none }
}
run guest under soft, ept {
  read 0x1000  expect ok
  read 0x2000  expect ok
}
`;

describe('a machine that cannot be', () => {
  const script = openScript(SCENARIO, 'file:///big.mmu', { read: () => null });
  const views = runScript(script, {});

  it('does not run', () => {
    for (const { record } of views) {
      assert.deepEqual(record.ended, { how: 'not-started' });
      const [refused, ...more] = record.outcomes;
      assert.deepEqual(more, []);
      assert.deepEqual(refused.result, { kind: 'error', errno: 'ENOMEM', why: 'host memory is used up' });
    }
  });

  it('says so once a run', () => {
    const printed = [...text([views[0]], { colors: false, width: 100, journal: true, entries: false })].join('\n');
    assert.equal(printed.match(/ENOMEM/g)?.length, 1);
    assert.match(printed, /slot 0 \{ gpa 0 size 1G \} · ENOMEM: host memory is used up/);
    assert.match(printed, /not started: nothing was executed/);
    assert.doesNotMatch(printed, /read 0x/);
  });

  it('is one diagnostic, at the slot', () => {
    const { analysis } = script;
    const found = [...foundDiagnostics(analysis, script.found), ...runDiagnostics(analysis, { views, failure: null })];
    assert.deepEqual(found.map(({ range, message }) => [range.start.line + 1, String(message)]), [[3, 'ENOMEM: host memory is used up (under soft, ept)']]); // prettier-ignore
  });
});
