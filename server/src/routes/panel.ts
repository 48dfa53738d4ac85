/** Routes of the trace panel and the commands: the requests of protocol/messages.ts. */
import type { CancellationToken, ProgressToken } from 'vscode-languageserver';
import type { Requests } from '../protocol/messages';
import type { Core } from './core';
import type { ProgressReports } from './progress';

/** Rows that a request gets at most. */
const MOST_ROWS = 5000;

type Method = keyof Requests;
type Params<M extends Method> = Requests[M]['params'];
type Result<M extends Method> = Requests[M]['result'];

export function routePanel(core: Core, progress: ProgressReports): void {
  const { connection, guard, runs, inquiries } = core;
  const on = <M extends Method>(
    method: M,
    empty: Result<M>,
    handler: (params: Params<M>, token: CancellationToken) => Promise<Result<M>> | Result<M>,
  ): void => {
    connection.onRequest(method, guard.request(method, empty, handler));
  };

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
  on('mmu/steps', null, ({ runId, from, count, filter }, token) =>
    inquiries.ofRun(runId, 'steps', { from, count: Math.min(count, MOST_ROWS), filter: filter ?? null }, token),
  );
  on('mmu/position', null, ({ runId, step, filter }, token) => inquiries.ofRun(runId, 'position', { step, filter: filter ?? null }, token));
  on('mmu/step', null, ({ runId, step }, token) => inquiries.ofRun(runId, 'step', { step }, token));
  on('mmu/stepAtLine', null, ({ runId, line }, token) => inquiries.ofRun(runId, 'stepAtLine', { line }, token));
  on('mmu/translate', null, async ({ uri, line, character, address, runId }, token) => {
    const run = runId === undefined ? null : runs.byId(runId);
    const params = { run: run?.index ?? 0, position: { line, character }, address: address ?? null };
    return (await inquiries.ofDocument(uri, 'translate', params, token))?.answer ?? null;
  });
}
