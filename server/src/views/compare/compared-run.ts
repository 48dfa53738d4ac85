/** A run as it is compared: its statements with what they came to, and its totals; plain, and small whatever the journal. */
import { ROW_WORDS } from '../../engine/journal/journal';
import { Space } from '../../engine/journal/spaces';
import { isChange, keyAt, spaceAt, WordMap } from '../../engine/journal/state';
import { plural } from '../../events/wording';
import type { ChangedEntry, ComparedRun, ComparedStatement } from '../../protocol/comparison';
import type { NamedCount } from '../../protocol/totals';
import type { Outcome } from '../../run/record';
import { cameTo } from '../came-to';
import { changesOf } from '../changes';
import { endedText, expectationText } from '../outcome';
import { totalsInSteps } from '../totals/totals';
import type { RunView } from '../view';

/** Entries of a statement that are kept, and statements of which any are. */
const MOST_ENTRIES = 24;
const MOST_WITH_ENTRIES = 500;
/** Changed words of memory of a statement that are looked at. */
const MOST_WORDS = 2000;
/** Failed expectations of a statement that are kept. */
const MOST_FAILED = 4;

interface Gathered {
  readonly first: Outcome;
  last: Outcome;
  times: number;
  references: number;
  readonly exits: Map<string, number>;
  readonly failed: string[];
}

export function* comparedRun(view: RunView): Generator<void, ComparedRun> {
  const { record } = view;
  const { whole } = yield* totalsInSteps(view);
  const statements: ComparedStatement[] = [];
  for (const [origin, each] of gathered(view)) {
    statements.push(compared(view, origin, each, statements.length < MOST_WITH_ENTRIES));
    yield;
  }
  return {
    name: record.program.name,
    ended: record.ended.how === 'done' ? '' : endedText(record.ended),
    statements,
    exits: merged(whole.exits),
    references: whole.references.map(({ name, count }) => ({ name, count })),
    statistics: whole.statistics.map(({ name, count }) => ({ name, count })),
  };
}

/** Statements in the order in which they were first executed. */
function gathered(view: RunView): Map<number, Gathered> {
  const found = new Map<number, Gathered>();
  for (const outcome of view.record.outcomes) {
    const { act, origin, result } = outcome;
    if (act < 0) continue;
    if (result.kind === 'expectation') {
      const of = found.get(view.statement(origin)?.of ?? origin);
      if (of && !result.holds && of.failed.length < MOST_FAILED) of.failed.push(`${expectationText(view, outcome)}: got ${result.got}`);
      continue;
    }
    const known = found.get(origin) ?? {
      first: outcome,
      last: outcome,
      times: 0,
      references: 0,
      exits: new Map<string, number>(),
      failed: [],
    };
    found.set(origin, known);
    known.last = outcome;
    known.times++;
    known.references += outcome.references;
    for (const { reason, count } of outcome.exits) known.exits.set(reason, (known.exits.get(reason) ?? 0) + count);
  }
  return found;
}

function compared(
  view: RunView,
  origin: number,
  { first, last, times, references, exits, failed }: Gathered,
  withEntries: boolean,
): ComparedStatement {
  const place = view.statement(origin);
  const { entries, more } = withEntries ? entriesOf(view, first) : { entries: [], more: 0 };
  const outcome = cameTo(view, last)?.what ?? '';
  return {
    text: place?.text ?? view.record.program.acts[last.act].do,
    line: place?.range.start.line ?? null,
    times,
    outcome: times > 1 && outcome !== '' ? `last ${outcome}, ${plural(times, 'time')}` : outcome,
    failed,
    exits: Array.from(exits, ([name, count]) => ({ name, count })),
    references,
    entries,
    moreEntries: more,
  };
}

/** Entries of tables that an execution has changed, not other memory. */
function entriesOf(view: RunView, { from, to }: Outcome): { entries: ChangedEntry[]; more: number } {
  const entries = changesOf(view, from, to, wordsChanged(view, from, to)).flatMap(({ what, from: old, to: now, note }) =>
    note === null ? [] : [{ what, from: old, to: now, note }],
  );
  return { entries: entries.slice(0, MOST_ENTRIES), more: Math.max(0, entries.length - MOST_ENTRIES) };
}

/** Words of memory that rows [from, to) change, the first ones. */
function wordsChanged(view: RunView, from: number, to: number): { space: Space; key: number }[] {
  const { words } = view.record;
  const changed = new WordMap();
  for (let row = from; row < to; row++) {
    if (!isChange(words, row) || spaceAt(words, row) !== Space.memory) continue;
    changed.toggle(keyAt(words, row), words[row * ROW_WORDS + 3], words[row * ROW_WORDS + 4]);
  }
  const before = view.state(from).space(Space.memory);
  // 6.12 fills a new table with sptes that are not present and suppress #VE (spte.h: SHADOW_NONPRESENT_VALUE): nothing is mapped by them.
  const isFill = (key: number): boolean => changed.get(key) === 1n << 63n && before.get(key) === 0n;
  return [...changed.keys()]
    .filter((key) => !isFill(key))
    .slice(0, MOST_WORDS)
    .map((key) => ({ space: Space.memory, key }));
}

/** Whoever was left. */
function merged(exits: readonly NamedCount[]): NamedCount[] {
  const counts = new Map<string, number>();
  for (const { name, count } of exits) counts.set(name, (counts.get(name) ?? 0) + count);
  return Array.from(counts, ([name, count]) => ({ name, count }));
}
