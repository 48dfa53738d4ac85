/** Runs of a command, which the user can interrupt: what was run until then is kept. */
import type { EventEmitter } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { performance } from 'node:perf_hooks';
import { runInSteps } from '../api/engine';
import type { RunView } from '../api/engine';
import type { OpenScript } from '../api/language';
import type { Io } from './io';

/** Exit status of a command that was interrupted, as shells have it: 128 and the signal's number. */
export const INTERRUPTED = 130;

/** Milliseconds between two looks for a signal. */
const TURN = 50;

/** Who tells of signals. */
type Signals = Pick<EventEmitter, 'once' | 'off'>;

interface Runs {
  readonly views: readonly RunView[];
  readonly interrupted: boolean;
}

/**
 * Runs all programs of a script. The first interrupt (SIGINT) ends them where they are, a second one the command.
 *
 * @param timeLimit milliseconds for all runs together
 */
export async function runInterruptibly(script: OpenScript, timeLimit: number, io: Io, signals: Signals = process): Promise<Runs> {
  let interrupted = false;
  const interrupt = (): void => {
    interrupted = true;
    io.err('mmu: interrupted: what was run until then follows\n');
  };
  signals.once('SIGINT', interrupt);
  try {
    const steps = runInSteps(script, { now: () => performance.now(), timeLimit, cancelled: () => interrupted });
    for (let turn = performance.now(), step = steps.next(); ; step = steps.next()) {
      if (step.done) return { views: step.value, interrupted };
      if (performance.now() - turn < TURN) continue;
      await setImmediate();
      turn = performance.now();
    }
  } finally {
    signals.off('SIGINT', interrupt);
  }
}
