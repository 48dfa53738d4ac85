/** From a text to its runs in this very thread: what the command line and tests do. The server runs in a worker instead. */
import type { Program } from '../engine/program';
import { analyze } from '../language/analysis';
import type { Analysis, AnalyzeOptions, Lowered, LowerOptions } from '../language/analysis';
import { drained } from '../language/steps';
import { RunView } from '../views/view';
import { inSteps } from './execute';
import type { Hooks } from './execute';
import type { RunRecord } from './record';
import { settle } from './same';

export type { Problem } from '../language/analysis';

export interface OpenScript extends Lowered {
  readonly uri: string;
  readonly analysis: Analysis;
}

export type OpenOptions = AnalyzeOptions & LowerOptions;

export function openScript(text: string, uri: string, options: OpenOptions): OpenScript {
  const analysis = analyze(text, uri, options);
  return { uri, analysis, ...analysis.lower(options) };
}

/** Run all programs of a script, the time limit (milliseconds) being for all of them together. */
export function runScript(script: OpenScript, hooks: Hooks): RunView[] {
  return drained(runPrograms(script.programs, hooks)).map((record) => new RunView(record, script.analysis));
}

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
