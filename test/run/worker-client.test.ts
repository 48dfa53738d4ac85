import { strict as assert } from 'node:assert';
import type { Program } from '../../server/src/engine/program';
import type { RunRecord } from '../../server/src/run/record';
import { RunCancelled, RunWorker } from '../../server/src/run/worker-client';
import type { WorkerLike } from '../../server/src/run/worker-client';
import type { RunAnswer, RunRequest } from '../../server/src/run/worker-protocol';

class FakeWorker implements WorkerLike {
  readonly requests: RunRequest[] = [];
  ended = false;
  answer: (answer: RunAnswer) => void = () => {};
  die: (why: string) => void = () => {};
  post(request: RunRequest): void {
    this.requests.push(request);
  }
  onAnswer(listener: (answer: RunAnswer) => void): void {
    this.answer = listener;
  }
  onEnd(listener: (why: string) => void): void {
    this.die = listener;
  }
  end(): void {
    this.ended = true;
  }
}

const program = { name: 'one', acts: [] as Program['acts'] } as Program;
const record = { program } as RunRecord;

function setUp() {
  const workers: FakeWorker[] = [];
  const timers: (() => void)[] = [];
  const runs = new RunWorker(
    () => {
      const worker = new FakeWorker();
      workers.push(worker);
      return worker;
    },
    (call) => timers.push(call),
  );
  return { runs, workers, timers };
}

describe('the worker that runs programs', () => {
  it('answers with a record a program', async () => {
    const { runs, workers } = setUp();
    const call = runs.run([program], 1000);
    const [worker] = workers;
    const { id } = worker.requests[0];
    worker.answer({ type: 'record', id, index: 0, record });
    worker.answer({ type: 'done', id });
    assert.deepEqual(await call.done, [record]);
  });

  it('is told to give up a run when another begins, and its late answers are dropped', async () => {
    const { runs, workers } = setUp();
    const first = runs.run([program], 1000);
    const second = runs.run([program], 1000);
    await assert.rejects(first.done, RunCancelled);
    const [worker] = workers;
    const [one, two] = worker.requests;
    assert.equal(new Int32Array(one.cancel!)[0], 1);
    assert.equal(new Int32Array(two.cancel!)[0], 0);
    worker.answer({ type: 'record', id: one.id, index: 0, record: { ...record } });
    worker.answer({ type: 'done', id: one.id });
    worker.answer({ type: 'record', id: two.id, index: 0, record });
    worker.answer({ type: 'done', id: two.id });
    assert.equal((await second.done)[0], record);
    assert.equal(workers.length, 1);
  });

  it('is replaced when it dies', async () => {
    const { runs, workers } = setUp();
    const first = runs.run([program], 1000);
    workers[0].die('out of memory');
    await assert.rejects(first.done, /out of memory/);
    const second = runs.run([program], 1000);
    assert.equal(workers.length, 2);
    workers[1].answer({ type: 'done', id: workers[1].requests[0].id });
    await second.done;
  });

  it('is ended when it does not come back from a cancelled run, and the waiting run goes to a new one', async () => {
    const { runs, workers, timers } = setUp();
    const first = runs.run([program], 1000);
    const second = runs.run([program], 1000);
    await assert.rejects(first.done, RunCancelled);
    timers[0]();
    assert.equal(workers[0].ended, true);
    assert.equal(workers.length, 2);
    const { id } = workers[1].requests[0];
    assert.equal(id, workers[0].requests[1].id);
    workers[1].answer({ type: 'done', id });
    await second.done;
  });

  it('goes on when it did come back', async () => {
    const { runs, workers, timers } = setUp();
    const first = runs.run([program], 1000);
    first.cancel();
    await assert.rejects(first.done, RunCancelled);
    workers[0].answer({ type: 'done', id: workers[0].requests[0].id });
    timers[0]();
    assert.equal(workers[0].ended, false);
  });

  it('reports what failed in it', async () => {
    const { runs, workers } = setUp();
    const call = runs.run([program], 1000);
    workers[0].answer({ type: 'failed', id: workers[0].requests[0].id, message: 'no room' });
    await assert.rejects(call.done, /no room/);
  });
});
