/** The worker's side: executes the programs of a request, one after another. Knows neither Node nor a browser. */
import { execute } from './execute';
import type { RunAnswer, RunRequest } from './worker-protocol';

export interface WorkerPort {
  post(answer: RunAnswer, transfer: ArrayBuffer[]): void;
  /** A monotonic clock in milliseconds. */
  now(): number;
}

/** Milliseconds between two messages of progress. */
const PROGRESS_EVERY = 100;

/** Answers a request. Never throws. */
export function serve(request: RunRequest, port: WorkerPort): void {
  const { id, programs, timeLimit } = request;
  try {
    const flag = request.cancel && new Int32Array(request.cancel);
    const end = port.now() + timeLimit;
    for (let index = 0; index < programs.length; index++) {
      let told = port.now();
      const record = execute(programs[index], {
        now: () => port.now(),
        timeLimit: Math.max(0, end - port.now()),
        cancelled: () => flag !== null && Atomics.load(flag, 0) !== 0,
        progress(done, of) {
          if (port.now() - told < PROGRESS_EVERY) return;
          told = port.now();
          port.post({ type: 'progress', id, index, done, of }, []);
        },
      });
      port.post({ type: 'record', id, index, record }, [record.words.buffer as ArrayBuffer]);
    }
    port.post({ type: 'done', id }, []);
  } catch (error) {
    port.post({ type: 'failed', id, message: error instanceof Error ? error.message : String(error) }, []);
  }
}
