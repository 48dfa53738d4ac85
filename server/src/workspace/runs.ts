/**
 * Checks and runs of open documents: begun a moment after an edit, given up at the next, kept until the next are done. What
 * they came to stays in the worker that did them; here is what it is called, and what is told of it.
 */
import type { Diagnostic } from 'vscode-languageserver-types';
import type { RunInfo } from '../protocol/messages';
import { runDiagnostics } from '../services/diagnostics';
import type { Job } from '../worker/protocol';
import type { WorkerPool } from './pool';
import { Cancelled } from './script-worker';
import type { Call, JobResult } from './script-worker';
import type { Script, Scripts } from './scripts';
import type { Settings } from './user-settings';

/** What is known of a document as it was. */
export interface ScriptRuns {
  readonly script: Script;
  /** Names what its worker knows of it; null when there is nothing to ask. */
  readonly of: number | null;
  /** In the order of the programs; empty when nothing was run. */
  readonly infos: readonly RunInfo[];
  /** Zero-based line up to which it was run; null: to the end. */
  readonly until: number | null;
  /** Why there are no runs: the worker died. */
  readonly failure: string | null;
  /** The text has been checked since as another one, which was not run or could not be: {@link infos} say so too. */
  readonly older?: true;
}

interface RunsEvents {
  /** Something will be run, as it seems. `stop` gives it up. */
  started(script: Script, stop: () => void): void;
  /** Problems of machines and scripts are known. */
  checked(script: Script, found: readonly Diagnostic[]): void;
  /** Of the programs together, 0 to 1. */
  progress(uri: string, fraction: number): void;
  /** @param found what the runs found; null when there was none, as the text has errors */
  ended(runs: ScriptRuns, found: readonly Diagnostic[] | null): void;
  /** What was run is what an older text came to by now; a text that was to be run and has errors {@link ended}. */
  outdated(script: Script): void;
  /** A run was given up, by an edit or by the user. */
  cancelled(script: Script): void;
}

/** A document's check or run that is waited for: the pause after an edit, or the job itself. */
interface Pending {
  readonly over: Promise<void>;
  /** It is a run, not just a check; false until that is known. */
  runs: boolean;
  /** Gives up what has begun. */
  stop(): void;
}

/** What a document last came to. */
interface Kept {
  /** By its last check, or run. */
  checked: ScriptRuns | null;
  /** By its last run, perhaps at an older version. */
  ran: ScriptRuns | null;
}

type Trigger = 'open' | 'edit' | 'save' | 'request';

interface RunsOptions {
  /** Settled when the settings are those of the user. */
  readonly ready: Promise<void>;
  readonly scripts: Scripts;
  readonly pool: WorkerPool;
  readonly events: RunsEvents;
  settings(): Settings['run'];
  later(call: () => void, milliseconds: number): () => void;
  /** A monotonic clock in milliseconds. */
  now(): number;
  log(message: string): void;
}

export class Runs {
  private readonly kept = new Map<string, Kept>();
  private readonly pending = new Map<string, Pending>();

  constructor(private readonly options: RunsOptions) {}

  /** A document was opened, edited or saved: gives up what is under way and begins anew, with a run when the user wants it then. */
  changed(uri: string, how: 'open' | 'edit' | 'save'): void {
    const pending = this.pending.get(uri);
    if (how === 'save' && pending && (pending.runs || !wanted(this.options.settings().when, how))) return;
    this.begin(uri, how, null);
  }

  closed(uri: string): void {
    this.stop(uri);
    this.kept.delete(uri);
    this.options.pool.forget(uri);
  }

  /** Runs a document now and gives what came of it; null when it was given up. */
  async run(uri: string, line: number | null, cancelled?: (stop: () => void) => void): Promise<ScriptRuns | null> {
    const before = this.last(uri);
    const pending = this.begin(uri, 'request', line);
    cancelled?.(() => pending.stop());
    await pending.over;
    const runs = this.last(uri);
    return runs && runs !== before && !runs.older ? runs : null;
  }

  /** What a document's last run came to, perhaps at an older version. */
  last(uri: string): ScriptRuns | null {
    return this.kept.get(uri)?.ran ?? null;
  }

  /** What a document comes to as it is now, once that is known; null when nothing of it is coming. */
  async current(uri: string): Promise<ScriptRuns | null> {
    for (let pending = this.pending.get(uri); pending; pending = this.pending.get(uri)) await pending.over;
    const script = await this.options.scripts.get(uri);
    return script && this.knownOf(script);
  }

  /** The text was checked as it is. */
  isKnown(script: Script): boolean {
    return this.knownOf(script) !== null;
  }

  isPending(uri: string): boolean {
    return this.pending.has(uri);
  }

  /** A run by its id; null when it is no more. */
  byId(runId: string): { readonly uri: string; readonly of: number; readonly index: number; readonly version: number } | null {
    for (const [uri, { ran }] of this.kept) {
      const index = ran?.infos.findIndex((info) => info.runId === runId) ?? -1;
      if (index >= 0 && ran!.of !== null) return { uri, of: ran!.of, index, version: ran!.script.version };
    }
    return null;
  }

  /** What a worker knew of documents is lost: what it is not busy with is done again. */
  lost(uris: readonly string[]): void {
    for (const uri of uris) {
      const kept = this.kept.get(uri);
      if (!kept || this.pending.has(uri)) continue;
      this.kept.delete(uri);
      this.begin(uri, kept.ran ? 'request' : 'open', kept.ran?.until ?? null);
    }
  }

  private knownOf(script: Script): ScriptRuns | null {
    const { checked, ran } = this.kept.get(script.uri) ?? { checked: null, ran: null };
    return ran?.script === script ? ran : checked?.script === script ? checked : null;
  }

  private begin(uri: string, why: Trigger, line: number | null): Pending {
    this.stop(uri);
    let stopped = false;
    let wake: (() => void) | null = null;
    let call: Call<JobResult> | null = null;
    const stop = (): void => {
      if (stopped) return;
      stopped = true;
      wake?.();
      call?.cancel();
      if (this.pending.get(uri) === pending) this.pending.delete(uri);
    };
    const go = async (): Promise<void> => {
      await this.options.ready;
      const settings = this.options.settings();
      pending.runs = wanted(settings.when, why);
      if (why === 'edit' && !stopped) await new Promise<void>((resolve) => (wake = this.pause(settings.delay, resolve)));
      const script = stopped ? null : await this.options.scripts.get(uri);
      if (!script || stopped || (!pending.runs && this.isKnown(script))) return;
      await this.execute(script, pending.runs ? { until: line } : null, stop, (begun) => (call = begun));
    };
    const pending: Pending = { over: Promise.resolve(), runs: false, stop };
    const over = go()
      .catch((error: unknown) =>
        this.options.log(`running ${uri}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`),
      )
      .then(() => {
        if (this.pending.get(uri) === pending) this.pending.delete(uri);
      });
    Object.assign(pending, { over });
    this.pending.set(uri, pending);
    return pending;
  }

  /** Goes on after some milliseconds, or when the function that it returns is called. */
  private pause(milliseconds: number, go: () => void): () => void {
    const cancel = this.options.later(go, milliseconds);
    return () => {
      cancel();
      go();
    };
  }

  private stop(uri: string): void {
    this.pending.get(uri)?.stop();
  }

  private async execute(script: Script, run: Job['run'], stop: () => void, begun: (call: Call<JobResult>) => void): Promise<void> {
    const { pool, events, settings, now } = this.options;
    const { uri, version, analysis, texts, files } = script;
    const until = run?.until ?? null;
    // A text that is not read has nothing to check.
    if (analysis.problems.some(({ code }) => code === 'too-large'))
      return this.keep({ script, of: null, infos: [], until, failure: null }, run !== null, []);
    const runs = run !== null && seemsRunnable(script);
    if (runs) events.started(script, stop);
    const since = now();
    const { text } = analysis.parsed;
    const call = pool
      .of(uri)
      .do(
        { uri, version, text, texts, files, run, timeLimit: settings().timeLimit },
        { onChecked: (found) => events.checked(script, found), onProgress: (fraction) => events.progress(uri, fraction) },
      );
    begun(call);
    try {
      const { of, ran } = await call.done;
      this.keep({ script, of, infos: ran?.infos ?? [], until, failure: null }, run !== null, ran?.found ?? null);
    } catch (error) {
      if (error instanceof Cancelled) {
        if (runs) events.cancelled(script);
      } else {
        const failure = error instanceof Error ? error.message : String(error);
        const found = runDiagnostics(analysis, { views: [], failure });
        this.keep({ script, of: null, infos: [], until, failure }, true, found);
      }
    } finally {
      pool.took(uri, now() - since);
    }
  }

  /**
   * @param run it was a run, not just a check
   * @param found null: it ran nothing, as the text has errors
   */
  private keep(runs: ScriptRuns, run: boolean, found: readonly Diagnostic[] | null): void {
    const { uri } = runs.script;
    const { events } = this.options;
    const before = this.last(uri);
    if (run && found !== null) {
      this.kept.set(uri, { checked: runs, ran: runs });
      return events.ended(runs, found);
    }
    const ran = before && outdated(before);
    this.kept.set(uri, { checked: runs, ran });
    if (run) events.ended(runs, null);
    else if (ran !== before) events.outdated(runs.script);
  }
}

/** Runs as those of an older text. */
function outdated(runs: ScriptRuns): ScriptRuns {
  return runs.older ? runs : { ...runs, older: true, infos: runs.infos.map((info) => ({ ...info, older: true })) };
}

/** As far as the text tells without being unrolled. */
function seemsRunnable({ analysis }: Script): boolean {
  return analysis.parsed.tree.items.some(({ kind }) => kind === 'run') && analysis.problems.every(({ severity }) => severity !== 'error');
}

function wanted(when: Settings['run']['when'], why: Trigger): boolean {
  if (why === 'request') return true;
  if (why === 'open') return when !== 'manual';
  return when === (why === 'edit' ? 'onType' : 'onSave');
}
