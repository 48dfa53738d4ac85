/** Commands that the user can interrupt: what was done until then is kept. */
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
export type Signals = Pick<EventEmitter, 'once' | 'off'>;

/**
 * Does what can be given up. The first interrupt (SIGINT) gives the signal, a second one ends the command.
 *
 * @param what was done until then, for the message
 */
export async function interruptibly<T>(
  what: string,
  act: (signal: AbortSignal) => Promise<T>,
  io: Io,
  signals: Signals = process,
): Promise<T> {
  const controller = new AbortController();
  const interrupt = (): void => {
    controller.abort();
    io.err(`mmu: interrupted: what was ${what} until then follows\n`);
  };
  signals.once('SIGINT', interrupt);
  try {
    return await act(controller.signal);
  } finally {
    signals.off('SIGINT', interrupt);
  }
}

interface Runs {
  readonly views: readonly RunView[];
  readonly interrupted: boolean;
}

/**
 * Runs all programs of a script; an interrupt ends them where they are.
 *
 * @param timeLimit milliseconds for all runs together
 */
export async function runInterruptibly(script: OpenScript, timeLimit: number, io: Io, signals: Signals = process): Promise<Runs> {
  return interruptibly(
    'run',
    async (signal) => {
      const steps = runInSteps(script, { now: () => performance.now(), timeLimit, cancelled: () => signal.aborted });
      for (let turn = performance.now(), step = steps.next(); ; step = steps.next()) {
        if (step.done) return { views: step.value, interrupted: signal.aborted };
        if (performance.now() - turn < TURN) continue;
        await setImmediate();
        turn = performance.now();
      }
    },
    io,
    signals,
  );
}
