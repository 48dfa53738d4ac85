/**
 * A run as a page to take away: a single file of HTML without any script, which needs nothing from elsewhere. The scenario with outcomes,
 * the figures of its walks, its steps, folded, and its totals; drawn from what the trace panel draws. In pieces, and bounded: what was left out
 * is said.
 */
import { plural } from '../../events/wording';
import { endedText, tally } from '../../views/outcome';
import { distinct } from '../../views/compare/distinct';
import { totals } from '../../views/totals/totals';
import { totalsTables } from '../../views/totals/tables';
import type { RunView } from '../../views/view';
import { countTable } from './counts';
import { BOUNDS, executions } from './executions';
import type { Bounds } from './executions';
import { markup } from './html';
import type { Html } from './html';
import { scenario } from './scenario';
import { STYLE } from './style';

interface ReportInput {
  /** The scenario's file, as it is called. */
  readonly file: string;
  readonly uri: string;
  /** Its text. */
  readonly text: string;
  readonly views: readonly RunView[];
  /** Zero-based line of a statement whose walk is to be drawn in any case; null: of none. */
  readonly line?: number | null;
  readonly bounds?: Partial<Bounds>;
}

/** Nothing is loaded or run; styles stand in the page. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

export function* report({ file, uri, text, views, line = null, bounds = {} }: ReportInput): Generator<string> {
  const names = views.map(({ record }) => record.program.name);
  const name = file.split('/').at(-1)!;
  const all = { ...BOUNDS, ...bounds };
  yield '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n';
  yield `<meta http-equiv="Content-Security-Policy" content="${POLICY}">\n`;
  yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n';
  yield markup`<title>${name}: MMU scenario</title>\n`.text;
  yield `<style>${STYLE}</style>\n</head>\n<body>\n<main>\n`;
  yield markup`<header><h1>${name}</h1><ul class="runs">${views.map(summary)}</ul></header>\n`.text;
  yield markup`<section id="scenario"><h2>Scenario</h2>${scenario(text, uri, views, views.length > 1 ? distinct(names) : names)}</section>\n`
    .text;
  for (const [index, view] of views.entries()) {
    yield markup`<section id="run-${index}" class="run"><h2>${names[index]}</h2>\n`.text;
    yield tables(view).text;
    for (const piece of executions(view, line, all)) yield piece.text;
    yield '</section>\n';
  }
  yield '</main>\n</body>\n</html>\n';
}

/** Events are many and say least: they are folded. */
function tables(view: RunView): Html {
  const all = totalsTables(totals(view))[0].tables;
  const events = all.filter(({ title }) => title.endsWith(' by name'));
  return markup`<div class="tables">${all.filter((each) => !events.includes(each)).map((each) => countTable(each))}</div>
${events.map((each) => markup`<details><summary>${each.title}</summary>${countTable(each)}</details>`)}\n`;
}

function summary({ record }: RunView, index: number): Html {
  const { held, failed } = tally(record.outcomes);
  const ended = record.ended.how === 'done' ? '' : ` · ${endedText(record.ended)}`;
  const good = failed === 0 && record.ended.how === 'done';
  const said =
    failed > 0
      ? `${failed} of ${plural(held + failed, 'expectation')} failed`
      : `${plural(held, 'expectation')} hold${held === 1 ? 's' : ''}`;
  return markup`<li><a href="#run-${index}">${record.program.name}</a> <span class="outcome ${good ? 'held' : 'failed'}">${good ? '✓' : '✗'} ${said}${ended}</span></li>`;
}
