import { strict as assert } from 'node:assert';
import { Files } from '../../server/src/workspace/files';

describe('files that are not open', () => {
  it('are read once, until they are said to have changed', async () => {
    let reads = 0;
    const files = new Files(() => Promise.resolve(`text ${++reads}`));
    assert.equal(files.get('a'), undefined);
    await Promise.all([files.read('a', 'b'), files.read('a', 'b')]);
    assert.equal(files.get('a'), 'text 1');
    files.forget('a');
    assert.equal(files.get('a'), undefined);
    await files.read('a', 'b');
    assert.equal(files.get('a'), 'text 2');
  });

  it('are none when they cannot be read', async () => {
    const files = new Files(() => Promise.reject(new Error('no such file')));
    await files.read('a', 'b');
    assert.equal(files.get('a'), null);
  });

  it('do not come back from a read that a change has overtaken', async () => {
    const answers: ((text: string) => void)[] = [];
    const files = new Files<string>(() => new Promise((resolve) => answers.push(resolve)));
    const first = files.read('a', 'b');
    files.forget('a');
    const second = files.read('a', 'b');
    answers[1]('new');
    await second;
    answers[0]('old');
    await first;
    assert.equal(files.get('a'), 'new');
  });

  it('are forgotten, the oldest first, when there are too many', async () => {
    const files = new Files((uri) => Promise.resolve(uri));
    for (let i = 0; i <= 500; i++) await files.read(`file ${i}`, 'b');
    assert.equal(files.get('file 0'), undefined);
    assert.equal(files.get('file 500'), 'file 500');
  });
});
