import { strict as assert } from 'node:assert';
import type { Program } from '../../server/src/engine/program';
import type { RunRecord } from '../../server/src/run/record';
import { RunCancelled } from '../../server/src/run/worker-client';
import type { WorkerLike } from '../../server/src/run/worker-client';
import type { RunAnswer, RunRequest } from '../../server/src/run/worker-protocol';
import { RunPool } from '../../server/src/workspace/pool';

class FakeWorker implements WorkerLike {
  readonly requests: RunRequest[] = [];
  answer: (answer: RunAnswer) => void = () => undefined;
  die: (why: string) => void = () => undefined;
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
    // Nothing to end.
  }
  finish(): void {
    const { id, programs } = this.requests[this.requests.length - 1];
    programs.forEach((program, index) =>
      this.answer({ type: 'record', id, index, record: { program, outcomes: [] as RunRecord['outcomes'] } as RunRecord }),
    );
    this.answer({ type: 'done', id });
  }
}

const program = (name: string): Program => ({ name, acts: [] as Program['acts'] }) as Program;
const names = (records: readonly RunRecord[]): string[] => records.map((each) => each.program.name);

function pool(size: number): { pool: RunPool; workers: FakeWorker[] } {
  const workers: FakeWorker[] = [];
  const spawn = (): FakeWorker => {
    const worker = new FakeWorker();
    workers.push(worker);
    return worker;
  };
  return { pool: new RunPool(size, spawn, () => undefined), workers };
}

describe('the pool of workers', () => {
  it('runs as many at once as it has workers, and the others after them', async () => {
    const { pool: shared, workers } = pool(2);
    const calls = ['a', 'b', 'c'].map((name) => shared.run([program(name)], 1000, {}));
    assert.equal(workers.length, 2);
    workers[1].finish();
    assert.deepEqual(names(await calls[1].done), ['b']);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(workers[1].requests.length, 2, 'the third run got the free worker');
    workers[1].finish();
    assert.deepEqual(names(await calls[2].done), ['c']);
    workers[0].finish();
    assert.deepEqual(names(await calls[0].done), ['a']);
  });

  it('drops a run that is cancelled while it waits', async () => {
    const { pool: shared, workers } = pool(1);
    const first = shared.run([program('a')], 1000, {});
    const second = shared.run([program('b')], 1000, {});
    second.cancel();
    await assert.rejects(second.done, RunCancelled);
    workers[0].finish();
    await first.done;
    assert.equal(workers[0].requests.length, 1);
  });

  it('gives the worker of a cancelled run to the next', async () => {
    const { pool: shared, workers } = pool(1);
    const first = shared.run([program('a')], 1000, {});
    const second = shared.run([program('b')], 1000, {});
    first.cancel();
    await assert.rejects(first.done, RunCancelled);
    await new Promise((resolve) => setImmediate(resolve));
    workers[0].finish();
    assert.deepEqual(names(await second.done), ['b']);
  });

  it('goes on with a new worker when one dies', async () => {
    const { pool: shared, workers } = pool(1);
    const first = shared.run([program('a')], 1000, {});
    workers[0].die('out of memory');
    await assert.rejects(first.done, /out of memory/);
    await new Promise((resolve) => setImmediate(resolve));
    const second = shared.run([program('b')], 1000, {});
    workers[1].finish();
    assert.deepEqual(names(await second.done), ['b']);
  });
});
