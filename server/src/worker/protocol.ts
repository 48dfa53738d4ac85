/** Messages between the server and a worker, which checks scripts, runs them, and answers what is asked of their runs. */
import type { Diagnostic } from 'vscode-languageserver-types';
import type { Found } from '../api/language';
import type { RunInfo } from '../protocol/messages';
import type { Question } from './questions';

/** A text that is to be checked, with all that it needs. */
export interface Job {
  readonly uri: string;
  readonly version: number;
  readonly text: string;
  /** Texts of the files that it imports. */
  readonly texts: ReadonlyMap<string, Found<string>>;
  /** Contents of the files that it loads. */
  readonly files: ReadonlyMap<string, Found<Uint8Array>>;
  /** Run what the check comes to, when it finds no error; `until` a line (zero-based), or to the end. Null: check only. */
  readonly run: { readonly until: number | null } | null;
  /** Milliseconds for unrolling and all runs together, this job's own time. */
  readonly timeLimit: number;
}

/** To the worker. `id` is given back in every answer. */
export type WorkerRequest =
  /** Replaces what is under way for the document; `cancel`, where memory can be shared, is one Int32, set to 1 to cancel. */
  | { readonly type: 'job'; readonly id: number; readonly job: Job; readonly cancel: SharedArrayBuffer | null }
  /** `of`: the job whose script or runs the question is about. */
  | { readonly type: 'ask'; readonly id: number; readonly of: number; readonly question: Question }
  /** Gives up a job or a question. */
  | { readonly type: 'cancel'; readonly id: number }
  /** The document is closed. */
  | { readonly type: 'forget'; readonly uri: string };

/**
 * From the worker. A job is answered by `checked` and then, when it runs something, by `ran`; every job ends in `over`,
 * given up or not. A question is answered by `answer`; null when nothing is known of the script, or it was given up.
 */
export type WorkerAnswer =
  /** What lowering found, beyond the problems of the text; `runs`: something will be run. */
  | { readonly type: 'checked'; readonly id: number; readonly found: readonly Diagnostic[]; readonly runs: boolean }
  | { readonly type: 'progress'; readonly id: number; readonly fraction: number }
  | { readonly type: 'ran'; readonly id: number; readonly infos: readonly RunInfo[]; readonly found: readonly Diagnostic[] }
  | { readonly type: 'over'; readonly id: number; readonly failure: string | null }
  | { readonly type: 'answer'; readonly id: number; readonly answer: unknown; readonly failure: string | null };
