/**
 * Runs in the terminal: each statement with what it came to, its journal below it, its expectations, and a summary. In
 * lines, since a run can have a million events.
 */
import type { StepRow } from '../protocol/messages';
import type { Outcome } from '../run/record';
import { actText } from '../views/act-text';
import { executionOf } from '../views/execution';
import { MOST_REASONS, Reasons } from './reasons';
import { controlAccessesFrom, nestedExits, nestedExitsText } from '../views/nested-exits';
import { exitsText, totalExits } from '../events/exits';
import { endedText, exitCount, expectationText, resultText, tally, toneOf } from '../views/outcome';
import { joined, plural } from '../events/wording';
import { totals } from '../views/totals/totals';
import { totalsLines } from '../views/totals/totals-text';
import type { RunView } from '../views/view';
import { walkFrom } from '../views/walk-steps';
import { palette } from './colors';
import type { Paint, Palette } from './colors';

interface TextOptions {
  readonly colors: boolean;
  /** Columns of the terminal; lines are cut there when it is not 0. */
  readonly width: number;
  /** Print the events below each statement. */
  readonly journal: boolean;
  /** A line for each entry that the processor reads, instead of one for a walk. */
  readonly entries: boolean;
}

export function* text(views: readonly RunView[], options: TextOptions): Generator<string> {
  const paint = palette(options.colors);
  for (const view of views) yield* run(view, options, paint);
}

/** Columns of a statement at most, and those kept for what it came to. */
const MOST_STATEMENT = 52;
const OUTCOME = 34;

function* run(view: RunView, options: TextOptions, paint: Palette): Generator<string> {
  const { record } = view;
  const rule = '─'.repeat(Math.min(options.width || 100, 100));
  yield paint.title(record.program.name);
  yield paint.faint(rule);
  const statements = record.outcomes.filter(({ result }) => result.kind !== 'expectation');
  const longest = statements.reduce((most, outcome) => Math.max(most, statementText(view, outcome).length), 0);
  const room = options.width > 0 ? Math.max(12, options.width - OUTCOME - INDENT.length) : MOST_STATEMENT;
  const widest = Math.min(MOST_STATEMENT, room, longest);
  const reasons = new Reasons(view);
  for (const { act: outcome, expectations } of grouped(record.outcomes)) {
    if (outcome) yield* act(view, outcome, widest, reasons, options, paint);
    yield* judged(view, expectations, options, paint);
  }
  yield paint.faint(rule);
  if (reasons.left < 0)
    yield paint.faint(
      `what decides is said of the first ${MOST_REASONS} accesses that do not reach memory, ${-reasons.left} more have none`,
    );
  yield* ending(view, paint);
  if (!options.journal) for (const line of totalsLines(totals(view).whole, options.width || 120)) yield paint.faint(line);
  yield '';
}

/** Cut to so many columns, before the address that a name in it came to. */
function statementText(view: RunView, { act, origin }: Outcome, most = Infinity): string {
  const { program } = view.record;
  const written = executionOf(view.script, program, origin, act)?.text ?? program.acts[act]?.do ?? '';
  const { text, address } = actText(program, act, written);
  return address.length + 8 > most ? cut(text + address, most) : cut(text, most - address.length) + address;
}

/** What stands before text that belongs to a statement. */
const INDENT = '      ';

function* act(view: RunView, outcome: Outcome, widest: number, reasons: Reasons, options: TextOptions, paint: Palette): Generator<string> {
  const place = executionOf(view.script, view.record.program, outcome.origin, outcome.act)?.place;
  const line = String(place ? place.range.start.line + 1 : '').padStart(4);
  const short = statementText(view, outcome, widest);
  const why = reasons.of(outcome);
  const cost = exitCount(outcome);
  const tail = cost ? ` (${outcome.exits.length === 1 ? outcome.exits[0].reason : exitsText(outcome.exits)})` : '';
  const what = resultText(outcome.result);
  const dots = what || cost ? `${' '.padEnd(widest - short.length + 2, '·')} ` : '';
  const room = options.width > 0 ? options.width - INDENT.length - short.length - dots.length : Infinity;
  const whole = joined(why ? `${what}: ${why}` : what, cost);
  const said = whole.length <= room;
  const came = said ? whole : joined(what, cost);
  const fits = came.length + tail.length <= room;
  yield `${paint.faint(line)}  ${paint.title(short)}${paint.faint(dots)}${tonePaint(outcome, paint)(came)}${fits ? paint.exit(tail) : ''}`.trimEnd();
  if (!fits) for (const part of wrapped(tail.trim(), options.width - INDENT.length)) yield `${INDENT}${paint.exit(part)}`;
  if (why && !said) for (const part of wrapped(why, options.width - INDENT.length)) yield `${INDENT}${tonePaint(outcome, paint)(part)}`;
  const nested = nestedExits(view, outcome.from, outcome.to);
  const shares = nested ? nestedExitsText(nested) : '';
  if (shares) yield `${INDENT}${paint.exit(shares)}`;
  if (options.journal) yield* journal(view, outcome, options, paint);
}

function* journal(view: RunView, outcome: Outcome, options: TextOptions, paint: Palette): Generator<string> {
  const { steps } = view;
  if (outcome.to <= outcome.from || outcome.act < 0) return;
  const first = steps.stepOfRow(outcome.from) + 1;
  const end = steps.stepOfRow(outcome.to - 1) + 1;
  for (let step = first; step < end;) {
    const walk = options.entries ? null : (walkFrom(view, step, end) ?? controlAccessesFrom(view, step, end));
    yield event(walk ? walk.row : steps.rows(step, 1)[0], options, paint);
    step = walk ? walk.next : step + 1;
  }
}

/** Columns of an event's actor and name. */
const ACTOR = 9;
const NAME = 26;
/** Terminals below this width get the events' names without `kvm_`. */
const NARROW = 100;

function event(row: StepRow, { width }: TextOptions, paint: Palette): string {
  const narrow = width > 0 && width < NARROW;
  const name = narrow ? cut(row.event.replace(/^kvm_/, ''), NAME - 4).padEnd(NAME - 4) : row.event.padEnd(NAME);
  const room = width > 0 ? Math.max(0, width - INDENT.length - ACTOR - name.length - 4) : Infinity;
  const head = `${actorPaint(row.actor, paint)(row.actor.padEnd(ACTOR))} ${eventPaint(row.kind, paint)(name)}`;
  return `${paint.faint(`${INDENT}│`)} ${head} ${paint.faint(cut(row.text, room))}`.trimEnd();
}

interface Group {
  /** null: expectations before any act. */
  readonly act: Outcome | null;
  readonly expectations: readonly Outcome[];
}

/** Each act with the expectations that follow it. */
function* grouped(outcomes: readonly Outcome[]): Generator<Group> {
  let act: Outcome | null = null;
  let expectations: Outcome[] = [];
  for (const outcome of outcomes) {
    if (outcome.result.kind === 'expectation') {
      expectations.push(outcome);
      continue;
    }
    if (act || expectations.length > 0) yield { act, expectations };
    act = outcome;
    expectations = [];
  }
  if (act || expectations.length > 0) yield { act, expectations };
}

/** Those that hold together, each that fails for itself. */
function* judged(view: RunView, outcomes: readonly Outcome[], { width }: TextOptions, paint: Palette): Generator<string> {
  const room = width > 0 ? width - INDENT.length - 2 : Infinity;
  const failed = outcomes.filter(({ result }) => toneOf(result) === 'failed');
  const held = outcomes.filter((each) => !failed.includes(each)).map((each) => expectationText(view, each));
  if (held.length > 0) yield* marked(paint.good('✓'), wrapped(held.join(' · '), room), (each) => each);
  for (const outcome of failed) {
    const got = outcome.result.kind === 'expectation' ? outcome.result.got : '';
    yield* marked(paint.bad('✗'), wrapped(`${expectationText(view, outcome)}: got ${got}`, room), paint.bad);
  }
}

function* marked(mark: string, lines: readonly string[], paint: Paint): Generator<string> {
  for (let i = 0; i < lines.length; i++) yield `${INDENT}${i === 0 ? mark : ' '} ${paint(lines[i])}`;
}

/** Broken at spaces; words longer than a line stay whole. */
function wrapped(said: string, room: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of said.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > room) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
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
  return line.length <= most ? line : most < 1 ? '' : `${line.slice(0, most - 1)}…`;
}
