/** Totals of a run, of its statements and of its blocks, in one pass over its journal. */
import { Counter } from '../../events/totals/counter';
import { Counts } from '../../events/totals/counts';
import { drained } from '../../language/steps';
import type { PartTotals, TotalsView } from '../../protocol/totals';
import type { RunView } from '../view';
import { named } from './named';

/** Rows that are counted between two steps. */
const SLICE = 100_000;

interface Part {
  readonly counts: Counts;
  times: number;
}

const known = new WeakMap<RunView, TotalsView>();

export function totals(view: RunView): TotalsView {
  return drained(totalsInSteps(view));
}

/** The same in steps, between which other work can be done. */
export function* totalsInSteps(view: RunView): Generator<void, TotalsView> {
  const found = known.get(view) ?? (yield* counted(view));
  known.set(view, found);
  return found;
}

function* counted({ record, script }: RunView): Generator<void, TotalsView> {
  const { program } = record;
  const setup = new Counts();
  const byStatement = new Map<number, Part>();
  const counter = new Counter(program, (statement) => {
    if (statement === null) return setup;
    const part = byStatement.get(statement) ?? { counts: new Counts(), times: 0 };
    byStatement.set(statement, part);
    part.times++;
    return part.counts;
  });
  for (let to = 0; to < record.length;) {
    to = Math.min(record.length, to + SLICE);
    counter.count(record, to);
    yield;
  }
  const whole = new Counts();
  whole.add(setup);
  const blocks = new Map<string, Part>();
  const parts: PartTotals[] = [];
  if (isAny(setup)) parts.push({ id: 'set-up', part: 'set-up', text: 'set-up', line: null, times: 1, totals: named(setup, program) });
  for (const [origin, { counts, times }] of [...byStatement].sort(([a], [b]) => a - b)) {
    whole.add(counts);
    const place = script.statements[origin];
    const text = place?.text ?? `statement ${origin}`;
    const line = place?.range.start.line ?? null;
    parts.push({ id: `statement ${origin}`, part: 'statement', text, line, times, totals: named(counts, program) });
    if (place?.block === undefined) continue;
    const block = blocks.get(place.block) ?? { counts: new Counts(), times: 0 };
    blocks.set(place.block, block);
    block.counts.add(counts);
    block.times += times;
  }
  for (const [name, { counts, times }] of blocks)
    parts.push({ id: `block ${name}`, part: 'block', text: `block ${name}`, line: null, times, totals: named(counts, program) });
  return { run: program.name, whole: named(whole, program), parts };
}

const isAny = ({ events }: Counts): boolean => events.some((count) => count > 0);
