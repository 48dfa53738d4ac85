import { strict as assert } from 'node:assert';
import { WorkerPool } from '../../server/src/workspace/pool';
import { FakeWorker, jobOf } from './fake-worker';

function setUp(size: number) {
  const workers: FakeWorker[] = [];
  const lost: string[] = [];
  const pool = new WorkerPool({
    size,
    spawn() {
      const made = new FakeWorker();
      workers.push(made);
      return made;
    },
    later: () => undefined,
    lost: (uris) => lost.push(...uris),
  });
  const start = (uri: string) => pool.of(uri).do(jobOf(uri), {});
  return { pool, workers, lost, start };
}

describe('the pool of workers', () => {
  it('gives each document a worker of its own, as long as there are enough', () => {
    const { pool, workers, start } = setUp(3);
    for (const uri of ['a', 'b', 'a', 'c']) void start(uri);
    assert.deepEqual(workers.map((each) => each.of('job').length), [2, 1, 1]); // prettier-ignore
    assert.equal(pool.of('a'), pool.of('a'));
  });

  it('has a worker ready for the first', () => {
    const { pool, workers, start } = setUp(3);
    pool.start();
    assert.equal(workers.length, 1);
    void start('a');
    assert.deepEqual(workers.map((each) => each.of('job').length), [1]); // prettier-ignore
  });

  it('puts further ones beside those that cost least', () => {
    const { pool, workers, start } = setUp(3);
    for (const uri of ['dear', 'cheap', 'new']) void start(uri);
    pool.took('dear', 5000);
    pool.took('cheap', 3);
    void start('another');
    assert.deepEqual(workers.map((each) => each.of('job').length), [1, 2, 1]); // prettier-ignore
  });

  it('takes one that was given up for as expensive as it was', () => {
    const { pool, workers, start } = setUp(2);
    for (const uri of ['dear', 'cheap']) void start(uri);
    pool.took('dear', 5000);
    pool.took('dear', 1);
    pool.took('cheap', 1500);
    void start('another');
    assert.deepEqual(workers.map((each) => each.of('job').length), [1, 2]); // prettier-ignore
  });

  it('keeps the worker of a closed document for the next, and ends a second one', () => {
    const { pool, workers, start } = setUp(3);
    for (const uri of ['a', 'b']) void start(uri).done.catch(() => undefined);
    pool.forget('a');
    assert.deepEqual(workers[0].of('forget').map(({ uri }) => uri), ['a']); // prettier-ignore
    void start('c');
    assert.equal(workers.length, 2);
    pool.forget('c');
    pool.forget('b');
    assert.deepEqual(workers.map(({ ended }) => ended), [false, true]); // prettier-ignore
  });

  it('tells whose runs are lost with a worker', async () => {
    const { workers, lost, start } = setUp(1);
    const calls = ['a', 'b'].map((uri) => start(uri));
    workers[0].die('out of memory');
    for (const call of calls) await assert.rejects(call.done, /out of memory/);
    assert.deepEqual(lost, ['a', 'b']);
  });
});
