/** Routes of the trace panel and the commands: the requests of protocol/messages.ts. */
import { LSPErrorCodes, ResponseError } from 'vscode-languageserver';
import type { CancellationToken, ProgressToken } from 'vscode-languageserver';
import type { Requests, RunInfo, StepFilter } from '../protocol/messages';
import { translateAt } from '../services/translate-at';
import { stepDetail } from '../views/detail';
import { StepFilterIndex } from '../views/step-filter';
import type { RunView } from '../views/view';
import type { Core } from './core';
import type { ProgressReports } from './progress';

/** Steps looked at in one go when a filter is applied. */
const SLICE = 20_000;

/** Rows that a request gets at most. */
const MOST_ROWS = 5000;

type Method = keyof Requests;
type Params<M extends Method> = Requests[M]['params'];
type Result<M extends Method> = Requests[M]['result'];

export function routePanel(core: Core, progress: ProgressReports): void {
  const { connection, guard, runs } = core;
  const on = <M extends Method>(
    method: M,
    empty: Result<M>,
    handler: (params: Params<M>, token: CancellationToken) => Promise<Result<M>> | Result<M>,
  ): void => {
    connection.onRequest(method, guard.request(method, empty, handler));
  };
  const filters = new Filters();

  on('mmu/run', [], async (params, token) => {
    const { uri, line, workDoneToken } = params as Params<'mmu/run'> & { workDoneToken?: ProgressToken };
    if (workDoneToken !== undefined) progress.reportTo(uri, connection.window.attachWorkDoneProgress(workDoneToken));
    const done = await runs.run(uri, line ?? null, (stop) => token.onCancellationRequested(stop));
    return done ? [...done.infos] : [];
  });
  on('mmu/runs', [], async ({ uri }) => {
    const last = runs.last(uri);
    return last ? [...last.infos] : [];
  });
  on('mmu/steps', null, async ({ runId, from, count, filter }, token) => {
    const run = runs.byId(runId);
    if (!run) return null;
    const most = Math.min(count, MOST_ROWS);
    if (isEmpty(filter)) return { rows: run.view.steps.rows(from, most), total: run.view.steps.length };
    const index = await filters.get(runId, run.view, filter!, token);
    return { rows: index.rows(from, most), total: index.length };
  });
  on('mmu/position', null, async ({ runId, step, filter }, token) => {
    const run = runs.byId(runId);
    if (!run) return null;
    if (isEmpty(filter)) return Math.min(step, run.view.steps.length - 1);
    return (await filters.get(runId, run.view, filter!, token)).positionOf(step);
  });
  on('mmu/step', null, ({ runId, step }) => {
    const run = runs.byId(runId);
    return run && stepDetail(run.view, step);
  });
  on('mmu/stepAtLine', null, ({ runId, line }) => {
    const run = runs.byId(runId);
    return run && run.view.steps.stepAtLine(run.script.uri, line);
  });
  on('mmu/translate', null, async ({ uri, line, character, address, runId }) => {
    const current = await runs.current(uri);
    if (!current) return null;
    const { views, infos, script } = current;
    const view =
      views[
        Math.max(
          0,
          infos.findIndex((info: RunInfo) => info.runId === runId),
        )
      ];
    return view ? translateAt(script.analysis, view, { line, character }, address ?? null) : null;
  });
}

function isEmpty(filter: StepFilter | null | undefined): boolean {
  return !filter || (!filter.actors?.length && !filter.kinds?.length && !filter.text?.trim());
}

/** The last filters used, so that the rows of one list are not searched again for every page. */
class Filters {
  private readonly kept = new Map<string, StepFilterIndex>();

  async get(runId: string, view: RunView, filter: StepFilter, token: CancellationToken): Promise<StepFilterIndex> {
    const key = `${runId} ${JSON.stringify(filter)}`;
    const index = this.kept.get(key) ?? new StepFilterIndex(view, filter);
    this.kept.delete(key);
    this.kept.set(key, index);
    if (this.kept.size > MOST_FILTERS) this.kept.delete(this.kept.keys().next().value!);
    while (!index.scan(SLICE)) {
      await giveWay();
      if (token.isCancellationRequested) throw new ResponseError(LSPErrorCodes.RequestCancelled, 'the search was cancelled');
    }
    return index;
  }
}

const MOST_FILTERS = 4;

/** Lets messages that have come in be handled: a message to oneself comes behind them. */
function giveWay(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
