import { strict as assert } from 'node:assert';
import { differing } from '../../client/webview/detail/numbers';

const marked = (text: string, other: string) =>
  differing(text, other)
    .map((part) => (part.differs ? `[${part.text}]` : part.text))
    .join('');

describe('numbers in the panel', () => {
  it('have those digits set off that differ, from the right', () => {
    assert.equal(marked('0x20_0067', '0x20_0007'), '0x20_00[6]7');
    assert.equal(marked('0x1_0000', '0x0'), '0x[1]_0000');
    assert.equal(marked('0x0', '0x1_0000'), '0x0');
    assert.equal(marked('0x27', '0x27'), '0x27');
    assert.equal(marked('created', '0x27'), 'created');
    assert.equal(marked('0x7f00_0020_0123', 'slot 0'), '0x7f00_0020_0123');
  });
});
