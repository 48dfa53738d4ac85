import assert from 'node:assert/strict';
import { failedExpectations } from '../../../../server/src/views/outcome';
import { ran } from '../../../support/runs';

describe('page-modification logging', () => {
  it('works for slots that log before there are vCPUs', () => {
    const { views } = ran(`vm guest {
      slot 0 { gpa 0  size 16M  log_dirty }
      vcpu { paging none }
    }
    run guest under ept {
      write 0x5000  expect ok
      host get dirty log slot 0
      write 0x5000  expect ok, exits 0
      host get dirty log slot 0  expect dirty slot 0 [0x5000]
    }`);
    assert.equal(views.length, 1);
    assert.deepEqual(failedExpectations(views[0]), []);
  });
});
