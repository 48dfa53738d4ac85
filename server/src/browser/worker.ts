/** Web worker that checks scripts and runs them. */
import { Desk } from '../worker/desk';
import type { WorkerRequest } from '../worker/protocol';
import { soon } from './soon';

export function work(): void {
  const desk = new Desk({ soon, now: () => performance.now(), post: (answer) => postMessage(answer) });
  addEventListener('message', ({ data }: MessageEvent<WorkerRequest>) => desk.receive(data));
}
