/** A worker as Node and browsers both have it. */
import type { WorkerAnswer, WorkerRequest } from './protocol';

export interface WorkerLike {
  post(request: WorkerRequest): void;
  /** At most one listener each. */
  onAnswer(listener: (answer: WorkerAnswer) => void): void;
  /** The worker failed or ended by itself. */
  onEnd(listener: (why: string) => void): void;
  end(): void;
}
