/** From a text to its runs in this very thread: what the command line and tests do. The server runs in a worker instead. */
import type { MmuKind, Program } from '../engine/program';
import { analyze } from '../language/analysis';
import type { Analysis, AnalyzeOptions, Problem } from '../language/analysis';
import { RunView } from '../views/view';
import { execute } from './execute';
import type { Hooks } from './execute';
import { settle } from './same';

export type { Problem } from '../language/analysis';

export interface OpenScript {
  readonly uri: string;
  readonly analysis: Analysis;
  readonly problems: readonly Problem[];
  readonly programs: readonly Program[];
}

export interface OpenOptions extends AnalyzeOptions {
  /** Run under this kind alone. */
  readonly under?: MmuKind;
}

export function openScript(text: string, uri: string, options: OpenOptions): OpenScript {
  const analysis = analyze(text, uri, options);
  return { uri, analysis, problems: analysis.problems, programs: analysis.programs(options.under) };
}

/** Run all programs of a script, the time limit (milliseconds) being for all of them together. */
export function runScript(script: OpenScript, hooks: Hooks): RunView[] {
  const { now, timeLimit } = hooks;
  const end = now && timeLimit !== undefined ? now() + timeLimit : null;
  const records = script.programs.map((program) => {
    const left = end !== null && now ? Math.max(0, end - now()) : undefined;
    return execute(program, { ...hooks, timeLimit: left });
  });
  return settle(records).map((record) => new RunView(record, script.analysis));
}
