/** A worker whose answers the test gives. */
import type { Job, WorkerAnswer, WorkerRequest } from '../../server/src/worker/protocol';
import type { WorkerLike } from '../../server/src/worker/worker-like';

export class FakeWorker implements WorkerLike {
  readonly requests: WorkerRequest[] = [];
  ended = false;
  answer: (answer: WorkerAnswer) => void = () => undefined;
  die: (why: string) => void = () => undefined;

  post(request: WorkerRequest): void {
    this.requests.push(request);
  }
  onAnswer(listener: (answer: WorkerAnswer) => void): void {
    this.answer = listener;
  }
  onEnd(listener: (why: string) => void): void {
    this.die = listener;
  }
  end(): void {
    this.ended = true;
  }

  /** Requests of one kind. */
  of<T extends WorkerRequest['type']>(type: T): Extract<WorkerRequest, { type: T }>[] {
    return this.requests.filter((each): each is Extract<WorkerRequest, { type: T }> => each.type === type);
  }

  /** Finishes a job that runs nothing. */
  finish(id: number): void {
    this.answer({ type: 'checked', id, found: [], runs: false });
    this.answer({ type: 'over', id, failure: null });
  }
}

export function jobOf(uri: string): Job {
  return { uri, version: 1, text: '', texts: new Map(), files: new Map(), run: null, timeLimit: 1000 };
}
