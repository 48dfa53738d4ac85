/** Worker thread that checks scripts and runs them. */
import { parentPort } from 'node:worker_threads';
import { Desk } from '../worker/desk';
import type { WorkerRequest } from '../worker/protocol';

export function work(): void {
  const desk = new Desk({
    soon: (call) => void setImmediate(call),
    now: () => performance.now(),
    post: (answer) => parentPort?.postMessage(answer),
  });
  parentPort?.on('message', (request: WorkerRequest) => desk.receive(request));
}
