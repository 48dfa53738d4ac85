/**
 * The worker's side: jobs and questions, each done in turns of a few milliseconds, so that none keeps the others waiting and
 * all can be given up. Knows neither Node nor a browser.
 */
import { doJob } from './job';
import type { JobHooks } from './job';
import type { Job, WorkerAnswer, WorkerRequest } from './protocol';
import { answerInSteps } from './questions';
import type { RunView } from '../views/view';
import type { KnownScript, Question } from './questions';

interface WorkerPort {
  post(answer: WorkerAnswer): void;
  /** Calls back once messages that have come in were received. */
  soon(call: () => void): void;
  /** A monotonic clock in milliseconds. */
  now(): number;
}

/** Milliseconds of a turn. */
const TURN = 10;

/** Milliseconds between two messages of progress. */
const PROGRESS_EVERY = 100;

interface Task {
  readonly steps: Generator<void, void>;
  /** The document of a job; null: a question. */
  readonly uri: string | null;
  /** Milliseconds of the turns before. */
  spent: number;
  /** Tells the asker. */
  over(failure: string | null): void;
}

/** What is known of a document: by the job that checked it last, and by the job that ran it last. */
interface Known {
  checked: { readonly of: number; readonly script: KnownScript };
  ran: { readonly of: number; readonly script: KnownScript } | null;
}

/** Bytes of the journals of runs that are kept to be compared with, at most. */
const MOST_BEFORE = 64 << 20;

/** What was run before the text was changed. @param earlier what was run last, perhaps of the same text */
function runsBefore({ analysis }: KnownScript, earlier: KnownScript | null): readonly RunView[] {
  if (!earlier) return [];
  if (earlier.analysis.parsed.text === analysis.parsed.text) return earlier.before;
  const bytes = earlier.views.reduce((sum, { record }) => sum + record.words.byteLength, 0);
  return bytes > MOST_BEFORE ? [] : earlier.views;
}

export class Desk {
  private readonly tasks = new Map<number, Task>();
  private readonly documents = new Map<string, Known>();
  private turning = false;
  /** When the turn under way began. */
  private began = 0;

  constructor(private readonly port: WorkerPort) {}

  receive(request: WorkerRequest): void {
    switch (request.type) {
      case 'job':
        for (const [id, { uri }] of this.tasks) if (uri === request.job.uri) this.giveUp(id);
        return this.take(request.id, this.jobTask(request.id, request.job, request.cancel));
      case 'ask':
        return this.take(request.id, this.questionTask(request.id, request.of, request.question));
      case 'cancel':
        return this.giveUp(request.id);
      case 'forget':
        for (const [id, { uri }] of this.tasks) if (uri === request.uri) this.giveUp(id);
        this.documents.delete(request.uri);
    }
  }

  /* ------------------------------------------------------------ turns */

  private take(id: number, task: Task): void {
    this.tasks.set(id, task);
    if (this.turning) return;
    this.turning = true;
    this.port.soon(() => this.turn());
  }

  private giveUp(id: number): void {
    const task = this.tasks.get(id);
    this.tasks.delete(id);
    task?.over(null);
  }

  /** A turn of each task that there is now: questions first, whose askers wait. */
  private turn(): void {
    const inTurn = [...this.tasks].sort(([, a], [, b]) => Number(a.uri !== null) - Number(b.uri !== null));
    for (const [id, task] of inTurn) if (this.tasks.has(id)) this.work(id, task);
    this.turning = this.tasks.size > 0;
    if (this.turning) this.port.soon(() => this.turn());
  }

  private work(id: number, task: Task): void {
    this.began = this.port.now();
    let failure: string | null = null;
    let over = false;
    try {
      while (!over && this.port.now() - this.began < TURN) over = task.steps.next().done === true;
    } catch (error) {
      failure = error instanceof Error ? (error.stack ?? error.message) : String(error);
      over = true;
    }
    task.spent += this.port.now() - this.began;
    if (!over) return;
    this.tasks.delete(id);
    task.over(failure);
  }

  /* ------------------------------------------------------------ jobs */

  private jobTask(id: number, job: Job, cancel: SharedArrayBuffer | null): Task {
    const flag = cancel && new Int32Array(cancel);
    let told = 0;
    const spent = (): number => task.spent + this.port.now() - this.began;
    const hooks: JobHooks = {
      spent,
      cancelled: () => flag !== null && Atomics.load(flag, 0) !== 0,
      checked: (script, found, runs) => {
        // What ran before can be looked at until something else has run, also when the text has errors now.
        const ran = this.documents.get(job.uri)?.ran ?? null;
        this.documents.set(job.uri, { checked: { of: id, script }, ran });
        this.port.post({ type: 'checked', id, found, runs });
      },
      progress: (fraction) => {
        if (spent() - told < PROGRESS_EVERY) return;
        told = spent();
        this.port.post({ type: 'progress', id, fraction });
      },
      ran: (script, infos, found) => {
        const earlier = this.documents.get(job.uri)?.ran?.script ?? null;
        const kept = { of: id, script: { ...script, before: runsBefore(script, earlier) } };
        this.documents.set(job.uri, { checked: kept, ran: kept });
        this.port.post({ type: 'ran', id, infos, found });
      },
    };
    const task: Task = {
      steps: doJob(id, job, hooks),
      uri: job.uri,
      spent: 0,
      over: (failure) => this.port.post({ type: 'over', id, failure }),
    };
    return task;
  }

  /* ------------------------------------------------------------ questions */

  private questionTask(id: number, of: number, question: Question): Task {
    let answer: unknown = null;
    const answering = function* (script: KnownScript | null): Generator<void, void> {
      if (script) answer = yield* answerInSteps(script, question);
    };
    const over = (failure: string | null): void => this.port.post({ type: 'answer', id, answer, failure });
    return { steps: answering(this.scriptOf(of)), uri: null, spent: 0, over };
  }

  private scriptOf(id: number): KnownScript | null {
    for (const { checked, ran } of this.documents.values()) {
      if (ran?.of === id) return ran.script;
      if (checked.of === id) return checked.script;
    }
    return null;
  }
}
