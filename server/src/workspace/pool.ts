/** Workers shared by all documents: as many runs at once as there are workers, others wait their turn. */
import type { Program } from '../engine/program';
import type { RunRecord } from '../run/record';
import { RunCancelled, RunWorker } from '../run/worker-client';
import type { RunCall, RunEvents, WorkerLike } from '../run/worker-client';

interface Waiting {
  start(worker: RunWorker): void;
}

export class RunPool {
  private readonly free: RunWorker[];
  private readonly all: readonly RunWorker[];
  private readonly waiting: Waiting[] = [];

  /** @param size workers at most; each is made when it is first needed */
  constructor(size: number, spawn: () => WorkerLike, later: (call: () => void, milliseconds: number) => void) {
    this.all = Array.from({ length: size }, () => new RunWorker(spawn, later));
    this.free = [...this.all];
  }

  /** As {@link RunWorker.run}, but gives up no other run. */
  run(programs: readonly Program[], timeLimit: number, events: RunEvents): RunCall {
    let cancel!: () => void;
    const done = new Promise<readonly RunRecord[]>((resolve, reject) => {
      const waiting: Waiting = {
        start: (worker) => {
          const call = worker.run(programs, timeLimit, events);
          cancel = () => call.cancel();
          call.done.then(resolve, reject).finally(() => this.release(worker));
        },
      };
      cancel = () => {
        const at = this.waiting.indexOf(waiting);
        if (at >= 0) this.waiting.splice(at, 1);
        reject(new RunCancelled());
      };
      const worker = this.free.pop();
      if (worker) waiting.start(worker);
      else this.waiting.push(waiting);
    });
    return { done, cancel: () => cancel() };
  }

  dispose(): void {
    this.waiting.length = 0;
    for (const worker of this.all) worker.dispose();
  }

  private release(worker: RunWorker): void {
    const next = this.waiting.shift();
    if (next) next.start(worker);
    else this.free.push(worker);
  }
}
