/** The programs of a file, run one after the other under one time limit. */
import type { Program } from '../engine/program';
import { inSteps } from './execute';
import type { Hooks } from './execute';
import type { RunRecord } from './record';
import { settle } from './same';

/**
 * Run programs in steps. Each has an equal part of the time that is left for it and those after it, so that each gets some.
 *
 * @param used milliseconds of the time limit that are used already
 */
export function* runPrograms(programs: readonly Program[], hooks: Hooks, used = 0): Generator<void, readonly RunRecord[]> {
  const { now, timeLimit } = hooks;
  const end = now && timeLimit !== undefined ? now() + timeLimit - used : null;
  const records: RunRecord[] = [];
  for (const [index, program] of programs.entries()) {
    const left = programs.length - index;
    const part = end !== null && now ? Math.max(1, (end - now()) / left) : undefined;
    records.push(
      yield* inSteps(program, {
        ...hooks,
        timeLimit: part,
        sharedLimit: timeLimit,
        progress: (fraction) => hooks.progress?.((index + fraction) / programs.length),
      }),
    );
  }
  return settle(records);
}
