/** The runs of open documents: begun a moment after an edit, given up at the next, kept until the next are done. */
import type { RunInfo } from '../protocol/messages';
import { RunCancelled } from '../run/worker-client';
import type { RunCall } from '../run/worker-client';
import { runInfo } from '../views/info';
import { RunView } from '../views/view';
import type { RunPool } from './pool';
import { programsTo } from './programs-to';
import type { Script, Scripts } from './scripts';
import type { Settings } from './settings';

/** What the programs of a document came to. */
export interface ScriptRuns {
  readonly script: Script;
  /** In the order of the programs; fewer when the run was given up early. */
  readonly views: readonly RunView[];
  readonly infos: readonly RunInfo[];
  /** Why there are no runs: the worker died. */
  readonly failure: string | null;
}

export interface RunsEvents {
  /** `stop` gives the run up. */
  started(script: Script, stop: () => void): void;
  /** Of the programs together, 0 to 1. */
  progress(uri: string, fraction: number): void;
  ended(runs: ScriptRuns): void;
  /** Given up, by an edit or by the user. */
  cancelled(script: Script): void;
}

/** A document's run that is waited for: the pause after an edit, or the run itself. */
interface Pending {
  readonly over: Promise<void>;
  /** Gives up what has begun. */
  stop(): void;
}

type Trigger = 'open' | 'edit' | 'save' | 'request';

export interface RunsOptions {
  /** Settled when the settings are those of the user. */
  readonly ready: Promise<void>;
  readonly scripts: Scripts;
  readonly pool: RunPool;
  readonly events: RunsEvents;
  settings(): Settings['run'];
  later(call: () => void, milliseconds: number): () => void;
  log(message: string): void;
}

export class Runs {
  private readonly kept = new Map<string, ScriptRuns>();
  private readonly pending = new Map<string, Pending>();
  private nextId = 1;

  constructor(private readonly options: RunsOptions) {}

  /** A document was opened, edited or saved: gives its run up and begins one, when the user wants it then. */
  changed(uri: string, how: 'open' | 'edit' | 'save'): void {
    if (how === 'save' && this.pending.has(uri)) return;
    this.begin(uri, how, null);
  }

  closed(uri: string): void {
    this.stop(uri);
    this.kept.delete(uri);
  }

  /** Runs a document now and gives what came of it; null when it was given up. */
  async run(uri: string, line: number | null, cancelled?: (stop: () => void) => void): Promise<ScriptRuns | null> {
    const before = this.kept.get(uri);
    const pending = this.begin(uri, 'request', line);
    cancelled?.(() => pending.stop());
    await pending.over;
    const runs = this.kept.get(uri);
    return runs && runs !== before ? runs : null;
  }

  /** What a document last came to, perhaps at an older version. */
  last(uri: string): ScriptRuns | null {
    return this.kept.get(uri) ?? null;
  }

  /** What a document comes to as it is now, once that is known; null when no run of it is coming. */
  async current(uri: string): Promise<ScriptRuns | null> {
    for (let pending = this.pending.get(uri); pending; pending = this.pending.get(uri)) await pending.over;
    const script = await this.options.scripts.get(uri);
    const runs = this.kept.get(uri);
    return runs && runs.script === script ? runs : null;
  }

  isPending(uri: string): boolean {
    return this.pending.has(uri);
  }

  /** A run by its id; null when it is no more. */
  byId(runId: string): { readonly view: RunView; readonly script: Script } | null {
    for (const { infos, views, script } of this.kept.values()) {
      const index = infos.findIndex((info) => info.runId === runId);
      if (index >= 0) return { view: views[index], script };
    }
    return null;
  }

  private begin(uri: string, why: Trigger, line: number | null): Pending {
    this.stop(uri);
    let stopped = false;
    let wake: (() => void) | null = null;
    let call: RunCall | null = null;
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
      if (stopped || !wanted(settings.when, why)) return;
      if (why === 'edit') await new Promise<void>((resolve) => (wake = this.pause(settings.delay, resolve)));
      const script = stopped ? null : await this.options.scripts.get(uri);
      if (script && !stopped) await this.execute(script, line, stop, (begun) => (call = begun));
    };
    const over = go()
      .catch((error: unknown) =>
        this.options.log(`running ${uri}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`),
      )
      .then(() => {
        if (this.pending.get(uri) === pending) this.pending.delete(uri);
      });
    const pending: Pending = { over, stop };
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

  private async execute(script: Script, line: number | null, stop: () => void, begun: (call: RunCall) => void): Promise<void> {
    const { pool, events, settings } = this.options;
    const { uri, analysis, lowered } = script;
    const programs = line === null ? lowered.programs : programsTo(analysis, lowered.programs, line);
    if (programs.length === 0) {
      this.keep({ script, views: [], infos: [], failure: null });
      return;
    }
    events.started(script, stop);
    const call = pool.run(programs, settings().timeLimit, {
      onProgress: (index, done, of) => events.progress(uri, (index + (of > 0 ? done / of : 0)) / programs.length),
    });
    begun(call);
    try {
      const records = await call.done;
      const views = records.map((record) => new RunView(record, analysis));
      this.keep({ script, views, infos: views.map((view, index) => this.info(script, view, index, line)), failure: null });
    } catch (error) {
      if (error instanceof RunCancelled) events.cancelled(script);
      else this.keep({ script, views: [], infos: [], failure: error instanceof Error ? error.message : String(error) });
    }
  }

  private keep(runs: ScriptRuns): void {
    this.kept.set(runs.script.uri, runs);
    this.options.events.ended(runs);
  }

  private info({ uri, version }: Script, view: RunView, index: number, until: number | null): RunInfo {
    return runInfo(view, { runId: String(this.nextId++), uri, version, index, until });
  }
}

function wanted(when: Settings['run']['when'], why: Trigger): boolean {
  if (why === 'request') return true;
  if (why === 'open') return when !== 'manual';
  return when === (why === 'edit' ? 'onType' : 'onSave');
}
