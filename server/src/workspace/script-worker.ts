/**
 * The server's side of a worker: jobs and questions by number, cancelled when they are not wanted any more; a worker that dies
 * is replaced when it is needed. Told how to make a worker, it knows neither Node nor a browser.
 */
import type { Diagnostic } from 'vscode-languageserver-types';
import type { RunInfo } from '../protocol/messages';
import type { Job, WorkerAnswer, WorkerRequest } from '../worker/protocol';
import type { Answer, Params, Question, What } from '../worker/questions';
import type { WorkerLike } from '../worker/worker-like';

/** What a job came to. */
export interface JobResult {
  /** Names what the worker knows of the script: questions say which job's it is. */
  readonly of: number;
  /** Problems of machines and scripts. */
  readonly found: readonly Diagnostic[];
  /** Null: nothing was run. */
  readonly ran: { readonly infos: readonly RunInfo[]; readonly found: readonly Diagnostic[] } | null;
}

/** Something that a worker does. */
export interface Call<T> {
  /** Rejects when the worker died, or the call was given up. */
  readonly done: Promise<T>;
  cancel(): void;
}

interface JobEvents {
  /** @param runs something will be run */
  onChecked?(found: readonly Diagnostic[], runs: boolean): void;
  onProgress?(fraction: number): void;
}

/** A call that was given up by its asker. */
export class Cancelled extends Error {
  constructor() {
    super('it was cancelled');
  }
}

/** Milliseconds that a worker has to come back from a job that was given up before it is ended. */
const GRACE = 2000;

interface JobCall {
  readonly request: WorkerRequest & { readonly type: 'job' };
  readonly events: JobEvents;
  found: readonly Diagnostic[];
  ran: JobResult['ran'];
  resolve(result: JobResult): void;
  reject(error: Error): void;
}

interface QuestionCall {
  resolve(answer: unknown): void;
  reject(error: Error): void;
}

interface ScriptWorkerOptions {
  spawn(): WorkerLike;
  /** Calls back after some milliseconds. */
  later(call: () => void, milliseconds: number): void;
  /** The worker is no more, and with it all that it knew. */
  lost(): void;
}

let nextId = 1;

export class ScriptWorker {
  private worker: WorkerLike | null = null;
  private readonly jobs = new Map<number, JobCall>();
  private readonly questions = new Map<number, QuestionCall>();
  /** Jobs that were given up and that the worker has not come back from. */
  private readonly leaving = new Set<number>();

  constructor(private readonly options: ScriptWorkerOptions) {}

  /** Makes the worker, before there is something to do. One that cannot be made is told of when it is needed. */
  start(): void {
    try {
      this.ensure();
    } catch {
      this.worker = null;
    }
  }

  do(job: Job, events: JobEvents): Call<JobResult> {
    const cancel = typeof SharedArrayBuffer === 'undefined' ? null : new SharedArrayBuffer(4);
    const request = { type: 'job', id: nextId++, job, cancel } as const;
    const done = new Promise<JobResult>((resolve, reject) => {
      this.jobs.set(request.id, { request, events, found: [], ran: null, resolve, reject });
    });
    this.post(request);
    return { done, cancel: () => this.cancelJob(request.id) };
  }

  /** Null when the worker does not know (any more) what the job came to. */
  ask<K extends What>(of: number, what: K, params: Params<K>): Call<Answer<K> | null> {
    const id = nextId++;
    const done = new Promise<Answer<K> | null>((resolve, reject) => {
      this.questions.set(id, { resolve: (answer) => resolve(answer as Answer<K> | null), reject });
    });
    this.post({ type: 'ask', id, of, question: { what, params } as Question });
    return { done, cancel: () => this.cancelQuestion(id) };
  }

  /** The document is closed. */
  forget(uri: string): void {
    if (this.worker) this.post({ type: 'forget', uri });
  }

  /** Ends the worker; what it does is given up. */
  dispose(): void {
    for (const id of [...this.jobs.keys()]) this.cancelJob(id);
    for (const id of [...this.questions.keys()]) this.cancelQuestion(id);
    this.end();
  }

  /* ------------------------------------------------------------ the worker */

  private post(request: WorkerRequest): void {
    try {
      this.ensure().post(request);
    } catch (error) {
      this.fail(error instanceof Error ? error.message : String(error));
    }
  }

  private ensure(): WorkerLike {
    if (this.worker) return this.worker;
    const worker = this.options.spawn();
    worker.onAnswer((answer) => {
      if (this.worker === worker) this.answer(answer);
    });
    worker.onEnd((why) => {
      if (this.worker !== worker) return;
      this.end();
      this.fail(`the worker ended: ${why}`);
      this.options.lost();
    });
    return (this.worker = worker);
  }

  private end(): void {
    const { worker } = this;
    this.worker = null;
    this.leaving.clear();
    worker?.end();
  }

  /** All that was under way fails. */
  private fail(message: string): void {
    const calls = [...this.jobs.values(), ...this.questions.values()];
    this.jobs.clear();
    this.questions.clear();
    for (const call of calls) call.reject(new Error(message));
  }

  private answer(answer: WorkerAnswer): void {
    if (answer.type === 'over') this.leaving.delete(answer.id);
    if (answer.type === 'answer') {
      const question = this.questions.get(answer.id);
      this.questions.delete(answer.id);
      if (answer.failure === null) question?.resolve(answer.answer);
      else question?.reject(new Error(answer.failure));
      return;
    }
    const job = this.jobs.get(answer.id);
    if (!job) return;
    switch (answer.type) {
      case 'checked':
        job.found = answer.found;
        return job.events.onChecked?.(answer.found, answer.runs);
      case 'progress':
        return job.events.onProgress?.(answer.fraction);
      case 'ran':
        job.ran = answer;
        return;
      case 'over':
        this.jobs.delete(answer.id);
        if (answer.failure !== null) return job.reject(new Error(answer.failure));
        return job.resolve({ of: answer.id, found: job.found, ran: job.ran });
    }
  }

  /* ------------------------------------------------------------ giving up */

  private cancelQuestion(id: number): void {
    const question = this.questions.get(id);
    if (!question) return;
    this.questions.delete(id);
    this.post({ type: 'cancel', id });
    question.reject(new Cancelled());
  }

  /** A worker that does not come back is ended; what else it had to do goes to a new one. */
  private cancelJob(id: number): void {
    const job = this.jobs.get(id);
    if (!job) return;
    this.jobs.delete(id);
    this.leaving.add(id);
    const { cancel } = job.request;
    if (cancel) Atomics.store(new Int32Array(cancel), 0, 1);
    this.post({ type: 'cancel', id });
    this.options.later(() => this.giveUp(id), GRACE);
    job.reject(new Cancelled());
  }

  private giveUp(id: number): void {
    if (!this.leaving.has(id)) return;
    this.end();
    for (const { resolve } of this.questions.values()) resolve(null);
    this.questions.clear();
    for (const { request } of this.jobs.values()) this.post(request);
    this.options.lost();
  }
}
