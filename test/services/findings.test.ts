import assert from 'node:assert/strict';
import { runFindings } from '../../server/src/services/findings';
import { ran } from '../support/runs';
import { MACHINE } from '../support/scripts';

/** Findings of a script, as `code: message`. */
function found(body: string, under = 'ept'): string[] {
  const { analysis, views } = ran(`${MACHINE}run guest under ${under} {\n${body}\n}\n`);
  return runFindings(analysis, views).map(({ code, message }) => `${code}: ${message}`);
}

const TAKEN = 'host create slot 7 { gpa 0  size 4K }';

describe('what runs found', () => {
  it('is an act that KVM refuses, unless an expectation behind it speaks of that', () => {
    const [refused, ...rest] = found(TAKEN);
    assert.match(refused, /^slot-refused: EEXIST: /);
    assert.deepEqual(rest, []);
    assert.deepEqual(found(`${TAKEN}  expect error EEXIST`), []);
    assert.match(found(`${TAKEN}  expect exits 0`)[0], /^slot-refused: EEXIST/);
    assert.match(found('host delete slot 9')[0], /^(?:act-failed|slot-refused): EINVAL/);
  });

  it('is an expectation that fails, with what was got instead', () => {
    assert.deepEqual(found('user read 0x40_0000  expect ok'), []);
    assert.match(found('user read 0x40_0000  expect #PF')[0], /^expectation-failed: expected #PF, got /);
    assert.match(found(`${TAKEN}  expect error EINVAL`)[0], /^expectation-failed: .*EINVAL.*EEXIST/);
  });

  it('is said once for several kinds, which it names, and once for a loop', () => {
    assert.match(found('user read 0x40_0000  expect #PF', 'soft, ept, npt').join(';'), /^[^;]*\(under soft, ept, npt\)$/);
    assert.match(
      found('user read 0x40_0000  expect #PF', 'soft, ept with kernel 6.1, 6.12').join(';'),
      /^[^;]*\(under soft, ept with kernel 6\.1, 6\.12\)$/,
    );
    assert.match(found('for i in 0 .. 3 { user read 0x40_0000  expect #PF }').join(';'), /^[^;]*4 times$/);
  });
});
