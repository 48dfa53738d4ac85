/** The statements of a run, each execution with what it came to, the figure of its walk where there is something to see, and its steps, folded. */
import { figureOf } from '../../figure/figure';
import { svgMarkup } from '../../figure/svg';
import { totalExits } from '../../events/exits';
import { plural } from '../../events/wording';
import type { StatementView, StepRow } from '../../protocol/messages';
import type { TranslationView } from '../../protocol/translation';
import type { Outcome } from '../../run/record';
import { stepDetail } from '../../views/detail';
import { statementView } from '../../views/statements';
import type { RunView } from '../../views/view';
import { Html, markup } from './html';

/** What a report shows of a run; the rest is counted. */
export interface Bounds {
  readonly executions: number;
  /** Steps of an execution, and of a run. */
  readonly steps: number;
  readonly stepsOfRun: number;
  readonly figures: number;
}

export const BOUNDS: Bounds = { executions: 400, steps: 200, stepsOfRun: 10_000, figures: 30 };

/** Width of a figure that needs no more: that of a narrow window. */
const WIDTH = 642;

/** @param line zero-based, of a statement that gets a figure in any case; null: of none */
export function* executions(view: RunView, line: number | null, bounds: Bounds): Generator<Html> {
  const acts = view.record.outcomes.filter(({ act, result }) => act >= 0 && result.kind !== 'expectation');
  const shown = acts.slice(0, bounds.executions);
  const drawn = worthFigures(view, shown, line, bounds.figures);
  let steps = bounds.stepsOfRun;
  for (const outcome of shown) {
    const rows = rowsOf(view, outcome, Math.min(bounds.steps, steps));
    steps -= rows.shown.length;
    yield execution(view, outcome, rows, drawn.has(outcome));
  }
  const left = acts.length - shown.length;
  if (left > 0) yield markup`<p class="left">${plural(left, 'more execution')} of statements left out.</p>`;
}

/** Faults and what fails first, then what costs exits: each statement once, the first of its executions. */
function worthFigures(view: RunView, outcomes: readonly Outcome[], line: number | null, most: number): ReadonlySet<Outcome> {
  const firsts = new Map<string, Outcome>();
  for (const outcome of outcomes) {
    const key = `${outcome.origin} ${outcome.result.kind}`;
    if (!firsts.has(key)) firsts.set(key, outcome);
  }
  const weight = (outcome: Outcome): number => {
    if (line !== null && view.statement(outcome.origin)?.range.start.line === line) return 3;
    if (outcome.result.kind !== 'ok' && outcome.result.kind !== 'done') return 2;
    return totalExits(outcome.exits) > 0 ? 1 : 0;
  };
  const worth = [...firsts.values()].map((outcome) => ({ outcome, weight: weight(outcome) })).filter((each) => each.weight > 0);
  worth.sort((a, b) => b.weight - a.weight);
  return new Set(worth.slice(0, most).map(({ outcome }) => outcome));
}

interface Rows {
  readonly shown: readonly StepRow[];
  readonly left: number;
}

function rowsOf({ steps }: RunView, { from, to }: Outcome, most: number): Rows {
  if (to <= from) return { shown: [], left: 0 };
  const first = steps.stepOfRow(from) + 1;
  const count = steps.stepOfRow(to - 1) + 1 - first;
  const shown = steps.rows(first, Math.max(0, Math.min(count, most)));
  return { shown, left: count - shown.length };
}

function execution(view: RunView, outcome: Outcome, rows: Rows, drawn: boolean): Html {
  const statement = statementView(view, outcome.from);
  const ways = drawn ? (stepDetail(view, view.steps.stepOfRow(outcome.from))?.ways ?? null) : null;
  if (!statement) return markup``;
  const { verdict, line, text } = statement;
  return markup`<article class="execution">
<h3>${line !== null && markup`<span class="number">${line + 1}</span> `}<code>${text}</code></h3>
<p class="came">${verdict && markup`<span class="outcome ${verdict.kind}"><b>${verdict.what}</b>${verdict.why !== null && `: ${verdict.why}`}</span> `}<span class="cost">${costOf(statement)}</span></p>
${expectationsOf(statement)}${ways && figures(ways, totalExits(outcome.exits) > 0)}${stepsOf(rows)}
</article>
`;
}

function costOf({ exits, references }: StatementView): string {
  return references > 0 ? `${exits} · ${plural(references, 'entry', 'entries')} read` : exits;
}

function expectationsOf({ expectations }: StatementView): Html | null {
  if (expectations.length === 0) return null;
  return markup`<ul class="expectations">${expectations.map(({ text, holds, got }) =>
    holds ? markup`<li class="held">✓ <code>${text}</code></li>` : markup`<li class="failed">✗ <code>${text}</code>: got ${got}</li>`,
  )}</ul>`;
}

/** The way of the address after the statement, and before it where exits lie between. */
function figures({ before, after }: { readonly before: TranslationView; readonly after: TranslationView }, both: boolean): Html {
  const figure = (view: TranslationView, when: string): Html =>
    markup`<figure><figcaption>${when} · ${view.access ?? view.space} ${view.address}</figcaption><div class="wide">${new Html(svgMarkup(figureOf(view, { width: WIDTH })))}</div></figure>`;
  return markup`${both && figure(before, 'before')}${figure(after, both ? 'after' : 'the way of its address')}`;
}

function stepsOf({ shown, left }: Rows): Html | null {
  if (shown.length === 0 && left === 0) return null;
  const rest = left > 0 && markup`<p class="left">${plural(left, 'more step')} left out.</p>`;
  return markup`<details><summary>${plural(shown.length + left, 'step')}</summary><div class="wide"><table class="steps"><thead><tr><th scope="col">Step</th><th scope="col">Who</th><th scope="col">Event</th><th scope="col">Address</th><th scope="col">What happened</th></tr></thead><tbody>${shown.map(
    ({ step, actor, event, address, text }) =>
      markup`<tr><td class="count">${step}</td><td class="${actor}">${actor}</td><td><code>${event}</code></td><td><code>${address}</code></td><td>${text}</td></tr>\n`,
  )}</tbody></table></div>${rest}</details>`;
}
