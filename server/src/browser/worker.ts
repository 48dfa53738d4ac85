/** Web worker that executes runs. */
import { serve } from '../run/worker';
import type { RunRequest } from '../run/worker-protocol';

addEventListener('message', ({ data }: MessageEvent<RunRequest>) => {
  serve(data, { now: () => performance.now(), post: (answer, transfer) => postMessage(answer, { transfer }) });
});
