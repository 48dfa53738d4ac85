/** Questions about scripts and runs, put to the workers that know them. */
import { LSPErrorCodes, ResponseError } from 'vscode-languageserver';
import type { CancellationToken } from 'vscode-languageserver';
import type { Answer, Params, What } from '../worker/questions';
import type { WorkerPool } from '../workspace/pool';
import type { Runs, ScriptRuns } from '../workspace/runs';
import { Cancelled } from '../workspace/script-worker';
import type { Call } from '../workspace/script-worker';

/** What can be asked of one run. */
type OfRun = { [K in What]: Params<K> extends { readonly run: number } ? K : never }[What];

export class Inquiries {
  /** @param soon what a promise comes to within a moment; null when it takes longer */
  constructor(
    private readonly runs: Runs,
    private readonly pool: WorkerPool,
    private readonly soon: <T>(promise: Promise<T>) => Promise<T | null>,
  ) {}

  /** About a document as it is now; null when its worker does not know in a moment. */
  async ofDocument<K extends What>(
    uri: string,
    what: K,
    params: Params<K>,
    token: CancellationToken,
  ): Promise<{ readonly answer: Answer<K> | null } | null> {
    const known = await this.soon(this.runs.current(uri));
    if (known === null || known.of === null) return null;
    const call = this.pool.of(uri).ask(known.of, what, params);
    return this.soon(answerOf(call, token).then((answer) => ({ answer })));
  }

  /** About what was known when something was run, at that text. */
  async ofRuns<K extends What>(
    { script, of }: ScriptRuns,
    what: K,
    params: Params<K>,
    token: CancellationToken,
  ): Promise<Answer<K> | null> {
    return of === null ? null : this.soon(answerOf(this.pool.of(script.uri).ask(of, what, params), token));
  }

  /** About a run by its id; null when it is no more. */
  async ofRun<K extends OfRun>(
    runId: string,
    what: K,
    params: Omit<Params<K>, 'run'>,
    token: CancellationToken,
  ): Promise<Answer<K> | null> {
    const run = this.runs.byId(runId);
    if (!run) return null;
    return answerOf(this.pool.of(run.uri).ask(run.of, what, { ...params, run: run.index } as unknown as Params<K>), token);
  }
}

async function answerOf<T>(call: Call<T>, token: CancellationToken): Promise<T> {
  const listening = token.onCancellationRequested(() => call.cancel());
  try {
    return await call.done;
  } catch (error) {
    if (error instanceof Cancelled) throw new ResponseError(LSPErrorCodes.RequestCancelled, 'the question was given up');
    throw error;
  } finally {
    listening.dispose();
  }
}
