/** From a text to its runs in this very thread: what the command line and tests do. The server runs in a worker instead. */
import { analyze } from '../language/analysis';
import type { Analysis, AnalyzeOptions, Lowered, LowerOptions } from '../language/analysis';
import { RunView } from '../views/view';
import { execute } from './execute';
import type { Hooks } from './execute';
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
  const { now, timeLimit } = hooks;
  const end = now && timeLimit !== undefined ? now() + timeLimit : null;
  const records = script.programs.map((program) => {
    const left = end !== null && now ? Math.max(0, end - now()) : undefined;
    return execute(program, { ...hooks, timeLimit: left });
  });
  return settle(records).map((record) => new RunView(record, script.analysis));
}
