/** Routes of the trace panel and the commands: the requests of protocol/messages.ts. */
import type { CancellationToken, ProgressToken } from 'vscode-languageserver';
import type { Requests, StepRow } from '../protocol/messages';
import { lineAfter, lineBefore } from '../workspace/moves';
import type { Change } from '../workspace/moves';
import type { Core } from './core';
import type { ProgressReports } from './progress';

/** Edits since the text of a run. */
function editsOf({ runs, edits }: Core, runId: string): readonly Change[] {
  const run = runs.byId(runId);
  return (run && edits.since(run.uri, run.version)) ?? [];
}

/** Rows with the lines at which their statements stand by now. */
function moved(core: Core, runId: string, rows: readonly StepRow[]): StepRow[] {
  const changes = editsOf(core, runId);
  if (changes.length === 0) return [...rows];
  return rows.map((row) => ({ ...row, line: row.line === null ? null : lineAfter(row.line, changes) }));
}

/** Rows that a request gets at most. */
const MOST_ROWS = 5000;
/** Nodes of the state. */
const MOST_NODES = 512;

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
  on('mmu/steps', null, async ({ runId, from, count, filter, folds }, token) => {
    const listed = { filter: filter ?? null, folds: folds ?? null };
    const found = await inquiries.ofRun(runId, 'steps', { from, count: Math.min(count, MOST_ROWS), ...listed }, token);
    return found && { ...found, rows: moved(core, runId, found.rows) };
  });
  on('mmu/position', null, ({ runId, step, filter, folds }, token) =>
    inquiries.ofRun(runId, 'position', { step, filter: filter ?? null, folds: folds ?? null }, token),
  );
  on('mmu/next', null, ({ runId, step, goal, direction }, token) => inquiries.ofRun(runId, 'next', { step, goal, direction }, token));
  on('mmu/kernelText', null, ({ runId, from, to }, token) => inquiries.ofRun(runId, 'kernelText', { from, to }, token));
  on('mmu/step', null, async ({ runId, step }, token) => {
    const found = await inquiries.ofRun(runId, 'step', { step }, token);
    return found && { ...found, row: moved(core, runId, [found.row])[0] };
  });
  on('mmu/stepAtLine', null, ({ runId, line }, token) =>
    inquiries.ofRun(runId, 'stepAtLine', { line: lineBefore(line, editsOf(core, runId)) }, token),
  );
  on('mmu/state', null, ({ runId, step, id, from, count }, token) =>
    inquiries.ofRun(runId, 'state', { step, id, from: from ?? 0, count: Math.min(count ?? MOST_NODES, MOST_NODES) }, token),
  );
  on('mmu/stateOrigin', null, ({ runId, step, id }, token) => inquiries.ofRun(runId, 'stateOrigin', { step, id }, token));
  on('mmu/memoryMaps', null, ({ runId, step }, token) => inquiries.ofRun(runId, 'memoryMaps', { step }, token));
  on('mmu/report', null, ({ runId, line }, token) => inquiries.ofRun(runId, 'report', { line }, token));
  on('mmu/totals', null, ({ runId }, token) => inquiries.ofRun(runId, 'totals', {}, token));
  on('mmu/compare', null, async ({ runId, with: other }, token) => {
    const beside = other === null ? null : runs.byId(other);
    if (other !== null && beside?.uri !== runs.byId(runId)?.uri) return null;
    return inquiries.ofRun(runId, 'compare', { with: beside?.index ?? null }, token);
  });
  on('mmu/translate', null, async ({ uri, line, character, address, runId }, token) => {
    const run = runId === undefined ? null : runs.byId(runId);
    const params = { run: run?.index ?? 0, position: { line, character }, address: address ?? null };
    return (await inquiries.ofDocument(uri, 'translate', params, token))?.answer ?? null;
  });
}
