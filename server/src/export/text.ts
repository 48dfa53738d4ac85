/**
 * Runs in the terminal: each statement with what it came to, its journal below it, its expectations, and a summary. In
 * lines, since a run can have a million events.
 */
import type { StepRow } from '../protocol/messages';
import type { Outcome } from '../run/record';
import { endedText, exitsText, outcomeText, tally, totalExits, toneOf } from '../views/outcome';
import { plural } from '../views/text';
import type { RunView } from '../views/view';
import { palette } from './colors';
import type { Paint, Palette } from './colors';

export interface TextOptions {
  readonly colors: boolean;
  /** Columns of the terminal; lines are cut there when it is not 0. */
  readonly width: number;
  /** Print the events below each statement. */
  readonly journal: boolean;
}

/** Events of one statement that are printed; the rest is counted. */
const MOST_EVENTS = 400;

export function* text(views: readonly RunView[], options: TextOptions): Generator<string> {
  const paint = palette(options.colors);
  for (const view of views) yield* run(view, options, paint);
}

function* run(view: RunView, options: TextOptions, paint: Palette): Generator<string> {
  const { record } = view;
  const rule = '─'.repeat(Math.max(8, Math.min(options.width || 100, 100)));
  yield paint.title(record.program.name);
  yield paint.faint(rule);
  const acts = record.outcomes.filter((each) => each.act >= 0 && each.result.kind !== 'expectation');
  const lines = acts.map((each) => view.statement(each.origin)?.text ?? record.program.acts[each.act].do);
  const widest = Math.min(52, Math.max(...lines.map((line) => line.length), 0));
  for (const outcome of record.outcomes) {
    if (outcome.result.kind === 'expectation') yield expectation(outcome, paint);
    else yield* act(view, outcome, widest, options, paint);
  }
  yield paint.faint(rule);
  yield* ending(view, paint);
  yield '';
}

function* act(view: RunView, outcome: Outcome, widest: number, options: TextOptions, paint: Palette): Generator<string> {
  const place = view.statement(outcome.origin);
  const line = String(place ? place.range.start.line + 1 : '').padStart(4);
  const said = place?.text ?? '';
  const short = cut(said, widest);
  const { result } = outcome;
  const came = tonePaint(outcome, paint)(outcomeText(outcome));
  const exits = totalExits(outcome.exits) > 0 ? paint.exit(` (${exitsText(outcome.exits)})`) : '';
  const why = result.kind === 'error' ? paint.faint(`  ${result.why}`) : '';
  const dots = came || why ? paint.faint(' '.padEnd(widest - short.length + 2, '·') + ' ') : '';
  yield `${paint.faint(line)}  ${paint.title(short)}${dots}${came}${exits}${why}`;
  if (options.journal) yield* journal(view, outcome, options, paint);
}

function* journal(view: RunView, outcome: Outcome, options: TextOptions, paint: Palette): Generator<string> {
  const { steps } = view;
  if (outcome.to <= outcome.from || outcome.act < 0) return;
  const first = steps.stepOfRow(outcome.from) + 1;
  const end = steps.stepOfRow(outcome.to - 1) + 1;
  for (const row of steps.rows(first, Math.min(end - first, MOST_EVENTS))) yield event(row, options, paint);
  if (end - first > MOST_EVENTS) yield paint.faint(`      ⋮ ${plural(end - first - MOST_EVENTS, 'more event')}`);
}

function event(row: StepRow, options: TextOptions, paint: Palette): string {
  const indent = '      │ ';
  const actor = row.actor.padEnd(9);
  const name = row.event.padEnd(26);
  const room = options.width > 0 ? Math.max(20, options.width - indent.length - 9 - 27 - 1) : Infinity;
  return `${paint.faint(indent)}${actorPaint(row.actor, paint)(actor)} ${eventPaint(row.kind, paint)(name)} ${paint.faint(cut(row.text, room))}`.trimEnd();
}

function expectation(outcome: Outcome, paint: Palette): string {
  const { result } = outcome;
  if (result.kind !== 'expectation') return '';
  if (result.holds) return `      ${paint.good('✓')} ${result.expected}`;
  return `      ${paint.bad(`✗ ${result.expected}`)}: got ${result.got}`;
}

function* ending(view: RunView, paint: Palette): Generator<string> {
  const { ended, outcomes } = view.record;
  if (ended.how !== 'done') yield paint.bad(endedText(ended));
  const { held, failed } = tally(outcomes);
  const exits = outcomes.reduce((sum, each) => sum + totalExits(each.exits), 0);
  const verdict =
    failed > 0
      ? paint.bad(`✗ ${failed} of ${plural(held + failed, 'expectation')} failed`)
      : paint.good(`✓ ${plural(held, 'expectation')} hold${held === 1 ? 's' : ''}`);
  yield `${held + failed > 0 ? verdict : 'no expectations'}${paint.faint(` · ${plural(exits, 'exit')} · ${plural(view.steps.length, 'event')}`)}`;
}

function tonePaint(outcome: Outcome, paint: Palette): Paint {
  const tone = toneOf(outcome.result);
  return tone === 'fault' ? paint.warn : tone === 'error' ? paint.bad : paint.address;
}

function actorPaint(actor: StepRow['actor'], paint: Palette): Paint {
  return actor === 'L0' ? paint.exit : actor === 'processor' ? paint.faint : paint.address;
}

function eventPaint(kind: StepRow['kind'], paint: Palette): Paint {
  return kind === 'exit' || kind === 'entry' ? paint.exit : kind === 'fault' ? paint.warn : (each) => each;
}

function cut(line: string, most: number): string {
  return line.length <= most ? line : `${line.slice(0, most - 1)}…`;
}
