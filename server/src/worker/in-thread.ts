/** A worker without a thread of its own, where none can be had: turns between the thread's other work. */
import { Desk } from './desk';
import type { WorkerAnswer, WorkerRequest } from './protocol';
import type { WorkerLike } from './worker-like';

/**
 * @param soon calls back when this thread has nothing else to do
 * @param now a monotonic clock in milliseconds
 */
export function inThread(soon: (call: () => void) => void, now: () => number): WorkerLike {
  let answered: (answer: WorkerAnswer) => void = () => undefined;
  const desk = new Desk({ soon, now, post: (answer) => answered(answer) });
  return {
    post: (request: WorkerRequest) => soon(() => desk.receive(request)),
    onAnswer: (listener) => {
      answered = listener;
    },
    onEnd: () => undefined,
    end: () => undefined,
  };
}
