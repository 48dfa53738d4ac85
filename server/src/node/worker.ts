/** Worker thread that executes runs. */
import { parentPort } from 'node:worker_threads';
import type { RunRequest } from '../run/worker-protocol';
import { serve } from '../run/worker';

parentPort?.on('message', (request: RunRequest) => {
  serve(request, { now: () => performance.now(), post: (answer, transfer) => parentPort?.postMessage(answer, transfer) });
});
