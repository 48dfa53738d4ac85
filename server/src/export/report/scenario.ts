/** The scenario's text with what its statements came to beside them, a line for each run where there are several. */
import { failedExpectations, statementOutcome, toneOf } from '../../views/outcome';
import type { RunView } from '../../views/view';
import { markup } from './html';
import type { Html } from './html';

interface Said {
  readonly tone: string;
  readonly run: string;
  readonly text: string;
}

/** @param uri of the scenario: statements of files that it imports have no line here */
export function scenario(text: string, uri: string, views: readonly RunView[], names: readonly string[]): Html {
  const said = new Map<number, Said[]>();
  views.forEach((view, index) => {
    const run = views.length > 1 ? names[index] : '';
    for (const [line, each] of outcomesByLine(view, uri)) said.set(line, [...(said.get(line) ?? []), { ...each, run }]);
  });
  const lines = text.replace(/\n$/, '').split('\n');
  return markup`<div class="wide"><table class="scenario"><caption class="spoken">Scenario with outcomes</caption><tbody>${lines.map(
    (line, index) =>
      markup`<tr${said.has(index) ? markup` class="stated"` : null}><td class="number">${index + 1}</td><td class="source"><code>${line}</code></td><td class="came">${(
        said.get(index) ?? []
      ).map(
        ({ tone, run, text: came }) =>
          markup`<span class="outcome ${tone}">${run !== '' && markup`<span class="of">${run}</span> `}${came}</span>`,
      )}</td></tr>\n`,
  )}</tbody></table></div>`;
}

/** Failed expectations of a statement that are shown. */
const MOST_FAILED = 6;

/** Outcomes of a run by the zero-based lines of their statements. */
function* outcomesByLine(view: RunView, uri: string): Generator<[number, { readonly tone: string; readonly text: string }]> {
  const failed = new Map<number, readonly string[]>();
  for (const { origin, expected, got } of failedExpectations(view)) {
    const of = view.statement(origin)?.of ?? origin;
    failed.set(of, [...(failed.get(of) ?? []), `✗ ${expected}: got ${got}`]);
  }
  const origins = new Set(view.record.outcomes.map(({ origin }) => view.statement(origin)?.of ?? origin));
  for (const origin of [...origins].sort((a, b) => a - b)) {
    const place = view.statement(origin);
    const found = place?.uri === uri ? statementOutcome(view, origin) : null;
    if (!place || !found) continue;
    const { text, tone, expectations, outcomes } = found;
    const wrong = failed.get(origin) ?? [];
    const came = `${text}${expectations.length > 0 && wrong.length === 0 ? ' ✓' : ''}`.trim();
    const { line } = place.range.start;
    const last = outcomes.at(-1);
    if (came !== '') yield [line, { tone: last ? toneOf(last.result) : tone, text: came }];
    for (const each of wrong.slice(0, MOST_FAILED)) yield [line, { tone: 'failed', text: each }];
    if (wrong.length > MOST_FAILED) yield [line, { tone: 'failed', text: `and ${wrong.length - MOST_FAILED} more` }];
  }
}
