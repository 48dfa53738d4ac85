import assert from 'node:assert/strict';
import { errorCode, errorFlags } from '../../server/src/events/decode';

describe('an error code of #PF in words', () => {
  it('names its flags, lowest first', () => {
    assert.deepEqual(errorFlags(0x7), ['P', 'W', 'U']);
    assert.equal(errorCode(0x15), 'P·U·I');
    assert.equal(errorCode(0), '');
  });

  it('keeps what has no name as one number, its highest bit too', () => {
    assert.deepEqual(errorFlags(0x104), ['U', '0x100']);
    assert.deepEqual(errorFlags(0x8000_0004 | 0), ['U', '0x80000000']);
  });
});
