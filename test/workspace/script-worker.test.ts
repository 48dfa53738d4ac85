import { strict as assert } from 'node:assert';
import { Cancelled, ScriptWorker } from '../../server/src/workspace/script-worker';
import { FakeWorker, jobOf } from './fake-worker';

function setUp() {
  const workers: FakeWorker[] = [];
  const timers: (() => void)[] = [];
  const losses: number[] = [];
  const worker = new ScriptWorker({
    spawn() {
      const made = new FakeWorker();
      workers.push(made);
      return made;
    },
    later: (call) => timers.push(call),
    lost: () => losses.push(workers.length),
  });
  return { worker, workers, timers, losses };
}

describe('a worker', () => {
  it('tells what a job found and what its runs came to', async () => {
    const { worker, workers } = setUp();
    const told: unknown[] = [];
    const call = worker.do(jobOf('a'), { onChecked: (found, runs) => told.push([found, runs]), onProgress: (each) => told.push(each) });
    const [{ id }] = workers[0].of('job');
    workers[0].answer({ type: 'checked', id, found: [], runs: true });
    workers[0].answer({ type: 'progress', id, fraction: 0.5 });
    workers[0].answer({ type: 'ran', id, infos: [], found: [] });
    workers[0].answer({ type: 'over', id, failure: null });
    const { of, ran } = await call.done;
    assert.deepEqual([of, ran?.infos, told], [id, [], [[[], true], 0.5]]);
  });

  it('does several things at once', async () => {
    const { worker, workers } = setUp();
    const [one, two] = [worker.do(jobOf('a'), {}), worker.do(jobOf('b'), {})];
    const [a, b] = workers[0].of('job');
    workers[0].finish(b.id);
    workers[0].finish(a.id);
    assert.equal((await one.done).of, a.id);
    assert.equal((await two.done).of, b.id);
  });

  it('is told to give up a job, and its late answers are dropped', async () => {
    const { worker, workers } = setUp();
    const call = worker.do(jobOf('a'), { onChecked: () => assert.fail('nobody wants to know') });
    call.cancel();
    await assert.rejects(call.done, Cancelled);
    const [{ id, cancel }] = workers[0].of('job');
    assert.equal(new Int32Array(cancel!)[0], 1);
    assert.deepEqual(workers[0].of('cancel').map((each) => each.id), [id]); // prettier-ignore
    workers[0].finish(id);
  });

  it('is replaced when it dies, and what it knew is lost', async () => {
    const { worker, workers, losses } = setUp();
    const call = worker.do(jobOf('a'), {});
    const question = worker.ask(1, 'step', { run: 0, step: 0 });
    workers[0].die('out of memory');
    await assert.rejects(call.done, /out of memory/);
    await assert.rejects(question.done, /out of memory/);
    assert.equal(losses.length, 1);
    const next = worker.do(jobOf('a'), {});
    workers[1].finish(workers[1].of('job')[0].id);
    await next.done;
  });

  it('is ended when it does not come back from a job that was given up; the others go to a new one', async () => {
    const { worker, workers, timers, losses } = setUp();
    const first = worker.do(jobOf('a'), {});
    const second = worker.do(jobOf('b'), {});
    first.cancel();
    await assert.rejects(first.done, Cancelled);
    timers[0]();
    assert.deepEqual([workers[0].ended, workers.length, losses.length], [true, 2, 1]);
    const { id } = workers[1].of('job')[0];
    assert.equal(id, workers[0].of('job')[1].id);
    workers[1].finish(id);
    await second.done;
  });

  it('goes on when it did come back', async () => {
    const { worker, workers, timers } = setUp();
    const call = worker.do(jobOf('a'), {});
    call.cancel();
    await assert.rejects(call.done, Cancelled);
    workers[0].answer({ type: 'over', id: workers[0].of('job')[0].id, failure: null });
    timers[0]();
    assert.equal(workers[0].ended, false);
  });

  it('reports what failed in it', async () => {
    const { worker, workers } = setUp();
    const call = worker.do(jobOf('a'), {});
    workers[0].answer({ type: 'over', id: workers[0].of('job')[0].id, failure: 'no room' });
    await assert.rejects(call.done, /no room/);
    const question = worker.ask(1, 'step', { run: 0, step: 0 });
    workers[0].answer({ type: 'answer', id: workers[0].of('ask')[0].id, answer: null, failure: 'no way' });
    await assert.rejects(question.done, /no way/);
  });

  it('gives questions up', async () => {
    const { worker, workers } = setUp();
    const question = worker.ask(1, 'steps', { run: 0, from: 0, count: 1, filter: { text: 'x' } });
    question.cancel();
    await assert.rejects(question.done, Cancelled);
    assert.equal(workers[0].of('cancel')[0].id, workers[0].of('ask')[0].id);
  });
});
