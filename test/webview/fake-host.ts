/** Stands in for VS Code and the client in a plain browser: gives the page its API and answers what it asks for. */
import type { FromPanel, StepFilter, ToPanel } from '../../server/src/protocol/messages';
import { lowContrast } from './contrast';
import { detail, passes, row, runs } from './fake-run';

const STATE = 'panel-state';
const query = new URLSearchParams(location.search);
const total = Number(query.get('steps') ?? 1000);
/** Milliseconds that a search takes. */
const settings = { searching: 1 };
const all = runs(total);
/** What the page said, for the tests to look at. */
const said: FromPanel[] = [];
let selected = all[1].runId;

const api = { said, settings, post, lowContrast, choose: (runId: string) => choose(runId), outdate };
export type FakeHost = typeof api;

declare global {
  interface Window {
    fake: FakeHost;
    acquireVsCodeApi: unknown;
  }
}

window.fake = api;
window.acquireVsCodeApi = () => ({
  postMessage: (message: FromPanel) => {
    said.push(message);
    setTimeout(() => answer(message), 'filter' in message && message.filter ? settings.searching : 1);
  },
  getState: () => JSON.parse(sessionStorage.getItem(STATE) ?? 'null') as unknown,
  setState: (state: unknown) => sessionStorage.setItem(STATE, JSON.stringify(state)),
});

function post(message: ToPanel): void {
  window.postMessage(message, '*');
}

/** The text has errors, or has been mended. */
function outdate(older: boolean): void {
  post({ type: 'runs', runs: all.map((run) => ({ ...run, older })), selected, file: 'first-touch.mmu' });
}

function choose(runId: string): void {
  selected = runId;
  post({ type: 'runs', runs: all, selected, file: 'first-touch.mmu' });
}

function answer(message: FromPanel): void {
  switch (message.type) {
    case 'ready':
      return choose(selected);
    case 'chooseRun':
      return choose(message.runId);
    case 'needRows': {
      const { runId, query, from, count, filter } = message;
      const { steps } = all.find((each) => each.runId === runId)!;
      const found = filter ? filtered(steps, filter) : null;
      const length = found ? found.length : steps;
      const rows = Array.from({ length: Math.max(0, Math.min(count, length - from)) }, (_, i) =>
        row(found ? found[from + i] : from + i, runId === 'run-nested'),
      );
      return post({ type: 'rows', runId, query, from, rows, total: length });
    }
    case 'needPosition': {
      const { runId, query, step, filter } = message;
      const before = filtered(step + 1, filter).length;
      const place = before > 0 ? { position: before - 1, step: filtered(step + 1, filter)[before - 1] } : null;
      return post({ type: 'position', runId, query, step, place });
    }
    case 'needDetail':
      return post({ type: 'detail', runId: message.runId, detail: detail(message.step, message.runId === 'run-nested') });
    // Its runs are made up, and have no state.
    case 'needState':
      return post({ type: 'state', runId: message.runId, step: message.step, id: message.id, from: message.from, found: null });
    case 'needOrigin':
      return post({ type: 'origin', runId: message.runId, step: message.step, id: message.id, origin: null });
    case 'needMemory':
      return post({ type: 'memory', runId: message.runId, step: message.step, maps: null });
    case 'needNext':
    case 'copySteps':
    case 'copyText':
    case 'present':
    case 'reveal':
    case 'explain':
    case 'needTotals':
    case 'exportReport':
    case 'needComparison':
      return;
  }
}

function filtered(steps: number, filter: StepFilter | null): number[] {
  return Array.from({ length: steps }, (_, step) => step).filter((step) => passes(row(step), filter));
}
