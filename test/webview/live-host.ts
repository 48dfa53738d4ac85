/** Stands in for VS Code, the client and the server: runs a scenario with the engine itself and answers by what the worker answers with. */
import { runScript } from '../../server/src/api/engine';
import { openScript } from '../../server/src/api/language';
import { drained } from '../../server/src/language/steps';
import type { FromPanel, ToPanel } from '../../server/src/protocol/messages';
import { runInfo } from '../../server/src/views/info';
import { translateAt } from '../../server/src/services/translate-at';
import { answerInSteps } from '../../server/src/worker/questions';
import type { Answer, KnownScript, Params, What } from '../../server/src/worker/questions';
import { Searches } from '../../server/src/worker/searches';
import { lowContrast } from './contrast';
import { misplaced } from './figure-check';

const STATE = 'panel-state';
const URI = 'file:///scenario.mmu';
const said: FromPanel[] = [];
let known: KnownScript | null = null;
let selected = '';

const api = { said, post, lowContrast, misplaced, choose, stepAt, translate };
export type LiveHost = typeof api;

declare global {
  interface Window {
    live: LiveHost;
  }
}

window.live = api;
window.acquireVsCodeApi = () => ({
  postMessage: (message: FromPanel) => {
    said.push(message);
    void answer(message);
  },
  getState: () => JSON.parse(sessionStorage.getItem(STATE) ?? 'null') as unknown,
  setState: (state: unknown) => sessionStorage.setItem(STATE, JSON.stringify(state)),
});

function post(message: ToPanel): void {
  window.postMessage(message, '*');
}

async function open(): Promise<KnownScript> {
  const text = await (await fetch('/scenario.mmu')).text();
  const script = openScript(text, URI, { read: () => null });
  const views = runScript(script, {});
  const infos = views.map((view, index) => runInfo(view, { runId: `1.${index}`, uri: URI, version: 1, index, until: null }));
  return { analysis: script.analysis, problems: script.problems, views, infos, searches: new Searches(), before: [] };
}

function ask<K extends What>(what: K, params: Params<K>): Answer<K> {
  return drained(answerInSteps(known!, { what, params } as never)) as Answer<K>;
}

const indexOf = (runId: string): number => known!.infos.findIndex((each) => each.runId === runId);

function choose(index: number): void {
  selected = known!.infos[index].runId;
  post({ type: 'runs', runs: known!.infos, selected, file: 'scenario.mmu' });
}

/** First step of the statement at a line (from 1), or of the first event of a name from there on. */
function stepAt(line: number, event: string | null = null): void {
  const run = indexOf(selected);
  let step = ask('stepAtLine', { run, line: line - 1 })!;
  const { steps } = known!.views[run];
  while (event !== null && steps.rows(step, 1)[0].event !== event) step++;
  post({ type: 'select', runId: selected, step });
}

function translate(line: number, address: string): void {
  const found = translateAt(known!.analysis, known!.views[indexOf(selected)], { line: line - 1, character: 0 }, address)!;
  post({ type: 'translation', runId: selected, view: found.view });
}

async function answer(message: FromPanel): Promise<void> {
  known ??= await open();
  switch (message.type) {
    case 'ready':
      return choose(0);
    case 'chooseRun':
      return choose(indexOf(message.runId));
    case 'needRows': {
      const { runId, query, from, count, filter, folds } = message;
      const found = ask('steps', { run: indexOf(runId), from, count, filter, folds });
      return post({ type: 'rows', runId, query, from, rows: found!.rows, total: found!.total });
    }
    case 'needPosition': {
      const { runId, query, step, filter, folds } = message;
      return post({ type: 'position', runId, query, step, place: ask('position', { run: indexOf(runId), step, filter, folds }) });
    }
    case 'needTotals': {
      const totals = ask('totals', { run: indexOf(message.runId) });
      if (totals) post({ type: 'totals', runId: message.runId, totals });
      return;
    }
    case 'needComparison': {
      const { runId, with: other } = message;
      const comparison = ask('compare', { run: indexOf(runId), with: other === null ? null : indexOf(other) });
      return post({ type: 'comparison', runId, with: other, comparison });
    }
    case 'needDetail': {
      const { runId, step } = message;
      return post({ type: 'detail', runId, detail: ask('step', { run: indexOf(runId), step })! });
    }
    case 'needState': {
      const { runId, step, id, from, count } = message;
      return post({ type: 'state', runId, step, id, from, found: ask('state', { run: indexOf(runId), step, id, from, count }) });
    }
    case 'needOrigin': {
      const { runId, step, id } = message;
      return post({ type: 'origin', runId, step, id, origin: ask('stateOrigin', { run: indexOf(runId), step, id }) });
    }
    case 'needMemory': {
      const { runId, step } = message;
      return post({ type: 'memory', runId, step, maps: ask('memoryMaps', { run: indexOf(runId), step }) });
    }
    case 'needNext': {
      const { runId, step, goal, direction } = message;
      return post({ type: 'next', runId, from: step, found: ask('next', { run: indexOf(runId), step, goal, direction }) });
    }
    case 'copySteps':
    case 'copyText':
    case 'present':
    case 'reveal':
    case 'exportReport':
    case 'explain':
      return;
  }
}
