/**
 * The server's side of the worker: one request at a time, cancelled by the next; a worker that dies is replaced. Told how
 * to make a worker, it knows neither Node nor a browser.
 */
import type { Program } from '../engine/program';
import type { RunRecord } from './record';
import { settle } from './same';
import type { RunAnswer, RunRequest } from './worker-protocol';

/** A worker as Node and browsers both have it. */
export interface WorkerLike {
  post(request: RunRequest): void;
  /** At most one listener each. */
  onAnswer(listener: (answer: RunAnswer) => void): void;
  /** The worker failed or ended by itself. */
  onEnd(listener: (why: string) => void): void;
  end(): void;
}

export interface RunCall {
  /** Records in the order of the programs; those not executed any more are missing at the end. Rejects when the worker died. */
  readonly done: Promise<readonly RunRecord[]>;
  cancel(): void;
}

export interface RunEvents {
  onRecord?(index: number, record: RunRecord): void;
  onProgress?(index: number, done: number, of: number): void;
}

/** A run that was given up for another or by its asker. */
export class RunCancelled extends Error {
  constructor() {
    super('the run was cancelled');
  }
}

/** Milliseconds that a cancelled worker has to come back before it is ended. */
const GRACE = 2000;

interface Pending {
  readonly request: RunRequest;
  readonly records: RunRecord[];
  readonly events: RunEvents;
  resolve(records: readonly RunRecord[]): void;
  reject(error: Error): void;
}

export class RunWorker {
  private worker: WorkerLike | null = null;
  /** The request whose answer is waited for; cancelled ones are not. */
  private pending: Pending | null = null;
  /** Requests that the worker has not finished, cancelled ones included. */
  private readonly unfinished = new Set<number>();
  private nextId = 1;

  /**
   * @param spawn makes a worker
   * @param later calls back after some milliseconds (setTimeout)
   */
  constructor(
    private readonly spawn: () => WorkerLike,
    private readonly later: (call: () => void, milliseconds: number) => void,
  ) {}

  /** Execute programs, giving up what runs. */
  run(programs: readonly Program[], timeLimit: number, events: RunEvents = {}): RunCall {
    if (this.pending) this.cancel(this.pending);
    const cancel = typeof SharedArrayBuffer === 'undefined' ? null : new SharedArrayBuffer(4);
    const request: RunRequest = { type: 'run', id: this.nextId++, programs, timeLimit, cancel };
    let call!: Pending;
    const done = new Promise<readonly RunRecord[]>((resolve, reject) => {
      call = { request, records: [], events, resolve, reject };
    });
    this.pending = call;
    this.post(request);
    return { done, cancel: () => this.cancel(call) };
  }

  /** End the worker; a run under way is cancelled. */
  dispose(): void {
    if (this.pending) this.cancel(this.pending);
    this.end();
  }

  private post(request: RunRequest): void {
    try {
      this.unfinished.add(request.id);
      this.ensure().post(request);
    } catch (error) {
      this.fail(error instanceof Error ? error.message : String(error));
    }
  }

  private ensure(): WorkerLike {
    if (this.worker) return this.worker;
    const worker = this.spawn();
    worker.onAnswer((answer) => {
      if (this.worker === worker) this.answer(answer);
    });
    worker.onEnd((why) => {
      if (this.worker !== worker) return;
      this.worker = null;
      this.unfinished.clear();
      this.fail(`the worker ended: ${why}`);
    });
    return (this.worker = worker);
  }

  private end(): void {
    const { worker } = this;
    this.worker = null;
    this.unfinished.clear();
    worker?.end();
  }

  private answer(answer: RunAnswer): void {
    if (answer.type === 'done' || answer.type === 'failed') this.unfinished.delete(answer.id);
    const { pending } = this;
    if (!pending || answer.id !== pending.request.id) return;
    switch (answer.type) {
      case 'progress':
        pending.events.onProgress?.(answer.index, answer.done, answer.of);
        break;
      case 'record':
        pending.records[answer.index] = answer.record;
        pending.events.onRecord?.(answer.index, answer.record);
        break;
      case 'done':
        this.pending = null;
        pending.resolve(settle(pending.records));
        break;
      case 'failed':
        this.fail(answer.message);
        break;
    }
  }

  private fail(message: string): void {
    const { pending } = this;
    this.pending = null;
    pending?.reject(new Error(message));
  }

  /** A worker that can be told is told, and ended when it does not come back; one that cannot is ended at once. */
  private cancel(call: Pending): void {
    if (this.pending !== call) return;
    this.pending = null;
    const { id, cancel } = call.request;
    if (cancel) {
      Atomics.store(new Int32Array(cancel), 0, 1);
      this.later(() => this.giveUp(id), GRACE);
    } else this.end();
    call.reject(new RunCancelled());
  }

  private giveUp(id: number): void {
    if (!this.unfinished.has(id)) return;
    this.end();
    if (this.pending) this.post(this.pending.request);
  }
}
