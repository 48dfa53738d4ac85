/** A worker that is none: runs happen in this very thread, which answers nothing else meanwhile. Where no worker can be had. */
import { serve } from './worker';
import type { WorkerLike } from './worker-client';
import type { RunAnswer, RunRequest } from './worker-protocol';

/**
 * @param soon calls back when this thread has nothing else to do
 * @param now a monotonic clock in milliseconds
 */
export function inThread(soon: (call: () => void) => void, now: () => number): WorkerLike {
  let answered: (answer: RunAnswer) => void = () => undefined;
  return {
    post: (request: RunRequest) => soon(() => serve(request, { now, post: (answer) => answered(answer) })),
    onAnswer: (listener) => {
      answered = listener;
    },
    onEnd: () => undefined,
    end: () => undefined,
  };
}
