/** A job done: a text understood, unrolled, run, and looked at, in steps. */
import type { Diagnostic } from 'vscode-languageserver-types';
import { runPrograms, RunView } from '../api/engine';
import { analyze } from '../api/language';
import type { RunInfo } from '../protocol/messages';
import { programsTo } from '../run/programs-to';
import { foundDiagnostics, runDiagnostics } from '../services/diagnostics';
import { runInfo } from '../views/info';
import type { Job } from './protocol';
import type { KnownScript } from './questions';
import { Searches } from './searches';

/** The part of the time limit that unrolling may take, so that some is left to run. */
const PART_OF_LOWERING = 1 / 2;

export interface JobHooks {
  /** Milliseconds that this very job has taken. */
  spent(): number;
  cancelled(): boolean;
  /** @param runs something will be run */
  checked(script: KnownScript, found: readonly Diagnostic[], runs: boolean): void;
  progress(fraction: number): void;
  ran(script: KnownScript, infos: readonly RunInfo[], found: readonly Diagnostic[]): void;
}

/** @param id names the job; its runs are `id.index` */
export function* doJob(id: number, job: Job, hooks: JobHooks): Generator<void, void> {
  const { uri, version, run, timeLimit } = job;
  const analysis = analyze(job.text, uri, { read: (other) => job.texts.get(other) ?? null });
  yield;
  const begun = hooks.spent();
  const forLowering = timeLimit * PART_OF_LOWERING;
  const tooLong = `unrolling what the file runs takes more than ${forLowering / 1000} s, half of the time that its runs may take`;
  const lowered = yield* analysis.lowerInSteps({
    readBytes: (other) => job.files.get(other) ?? null,
    stop: () => (hooks.cancelled() || hooks.spent() - begun > forLowering ? tooLong : null),
  });
  const known: KnownScript = { analysis, problems: lowered.problems, views: [], infos: [], searches: new Searches(), before: [] };
  const until = run?.until ?? null;
  const programs = until === null ? lowered.programs : programsTo(analysis, lowered.programs, until);
  const runs = run !== null && programs.length > 0;
  hooks.checked(known, foundDiagnostics(analysis, lowered.found), runs);
  yield;
  if (!runs) {
    // Nothing to run, and no error why: what earlier runs came to is no more.
    if (run && !lowered.problems.some(({ severity }) => severity === 'error')) hooks.ran(known, [], []);
    return;
  }
  const running = { now: () => hooks.spent(), timeLimit, cancelled: () => hooks.cancelled(), progress: (f: number) => hooks.progress(f) };
  const records = yield* runPrograms(programs, running, Math.min(hooks.spent() - begun, forLowering));
  const views = records.map((record) => new RunView(record, analysis));
  const infos = views.map((view, index) => runInfo(view, { runId: `${id}.${index}`, uri, version, index, until }));
  hooks.ran({ ...known, views, infos }, infos, runDiagnostics(analysis, { views, failure: null }));
}
