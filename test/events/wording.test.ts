import { strict as assert } from 'node:assert';
import { bytes, hex, joined, plural } from '../../server/src/events/wording';

describe('numbers in views', () => {
  it('group hexadecimal digits by four from the right', () => {
    assert.equal(hex(0), '0x0');
    assert.equal(hex(0x123), '0x123');
    assert.equal(hex(0x1234), '0x1234');
    assert.equal(hex(0x610123), '0x61_0123');
    assert.equal(hex(0xffff_8000_0000_0000n), '0xffff_8000_0000_0000');
  });

  it('show sizes in the largest unit that divides them', () => {
    assert.equal(bytes(0), '0');
    assert.equal(bytes(12), '12');
    assert.equal(bytes(4096), '4K');
    assert.equal(bytes(64 * 1024 * 1024), '64M');
    assert.equal(bytes(4096 + 1), '4097');
  });

  it('count nouns and join what is there', () => {
    assert.equal(plural(1, 'exit'), '1 exit');
    assert.equal(plural(2, 'exit'), '2 exits');
    assert.equal(joined('a', '', null, false, 'b'), 'a · b');
  });
});
