/** Messages between the server and the worker that executes programs. */
import type { Program } from '../engine/program';
import type { RunRecord } from './record';

/** To the worker. */
export interface RunRequest {
  readonly type: 'run';
  /** Given back in every answer. */
  readonly id: number;
  readonly programs: readonly Program[];
  /** Milliseconds for all programs together. */
  readonly timeLimit: number;
  /** One Int32, set to 1 to cancel; null where memory cannot be shared (the worker is ended instead). */
  readonly cancel: SharedArrayBuffer | null;
}

/** From the worker. A request is answered by a record a program and then `done`, or by `failed`. */
export type RunAnswer =
  | { readonly type: 'progress'; readonly id: number; readonly index: number; readonly done: number; readonly of: number }
  | { readonly type: 'record'; readonly id: number; readonly index: number; readonly record: RunRecord }
  | { readonly type: 'done'; readonly id: number }
  | { readonly type: 'failed'; readonly id: number; readonly message: string };
