/** The tree of the machine's state over a stretch of the run: what is there after it, with what it changed. */
import type { Space } from '../../engine/journal/spaces';
import { isChange, keyAt, spaceAt } from '../../engine/journal/state';
import type { StateNode, StateNodes } from '../../protocol/state';
import { outcomeAt } from '../statements';
import type { RunView } from '../view';
import { insideOf, runOf } from './sections';
import type { Thing, Touched } from './thing';

/** Journal rows [from, to): the state before them and after them is compared. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** Fewer neighbours than this are shown one by one. */
const LEAST_FOLDED = 3;
/** Nodes of one answer, at most. */
const MOST = 1024;

/** Rows of a step; of a statement's own step all of the statement. Null: the run has no such step. */
export function stretchOf(view: RunView, step: number): Stretch | null {
  const { steps } = view;
  if (!Number.isInteger(step) || step < 0 || step >= steps.length) return null;
  const from = steps.rowOf(step);
  const whole = steps.headOfRow(from) === from ? outcomeAt(view, from) : null;
  return { from, to: whole?.to ?? steps.rowOf(step + 1) };
}

/**
 * What is inside a node.
 *
 * @param id of the node; empty: the top of the tree
 * @param from the first one asked for, from 0; at most `count`, and no more than 1024
 * @returns null when there is no such node, before or after
 */
export function stateNodes(view: RunView, { from: before, to: after }: Stretch, id: string, from = 0, count = MOST): StateNodes | null {
  const old = insideOf(view.machine(before), id);
  // Closures of things are of the machine where it is; the rest is plain.
  const machine = view.machine(after);
  const now = insideOf(machine, id);
  if (!old && !now) return null;
  const asRun = runOf(id.slice(id.lastIndexOf('/') + 1)) !== null;
  const merged = merge(old ?? [], now ?? []);
  const shown = asRun ? merged : folded(merged);
  const touched = touchedIn(view, before, after);
  const nodes = shown.slice(from, from + Math.min(count, MOST)).map((each) => nodeOf(each, id, touched));
  return { nodes, total: shown.length };
}

/** A thing before and after; one of them may be missing. */
interface Pair {
  readonly old: Thing | null;
  readonly now: Thing | null;
}

/** Things of both, in the order of the later; what is gone stands behind what was before it. */
function merge(old: readonly Thing[], now: readonly Thing[]): Pair[] {
  const before = new Map(old.map((thing) => [thing.part, thing]));
  const after = new Set(now.map(({ part }) => part));
  const goneBehind = new Map<string | null, Thing[]>();
  let last: string | null = null;
  for (const thing of old) {
    if (after.has(thing.part)) last = thing.part;
    else if (goneBehind.has(last)) goneBehind.get(last)!.push(thing);
    else goneBehind.set(last, [thing]);
  }
  const gone = (part: string | null): Pair[] => (goneBehind.get(part) ?? []).map((thing) => ({ old: thing, now: null }));
  return [...gone(null), ...now.flatMap((thing) => [{ old: before.get(thing.part) ?? null, now: thing }, ...gone(thing.part)])];
}

function changed({ old, now }: Pair): StateNode['change'] {
  if (!old) return 'new';
  if (!now) return 'gone';
  return old.value === now.value && old.decoded === now.decoded && old.range === now.range && old.stale === now.stale ? null : 'changed';
}

/** A pair, or a run of things that go on from each other and did not change. */
type Shown = Pair & { readonly part?: string };

function folded(pairs: readonly Pair[]): Shown[] {
  const shown: Shown[] = [];
  for (let i = 0; i < pairs.length;) {
    let end = i + 1;
    while (end < pairs.length && goesOn(pairs[end - 1], pairs[end])) end++;
    if (end - i < LEAST_FOLDED) shown.push(...pairs.slice(i, end));
    else {
      const [first, last] = [pairs[i].now!, pairs[end - 1].now!];
      const run: Thing = { ...first, ...first.fold!.through(last), words: undefined, entry: undefined, inside: () => [] };
      shown.push({ old: run, now: run, part: `${first.fold!.at}-${last.fold!.at}` });
    }
    i = end;
  }
  return shown;
}

function goesOn(before: Pair, pair: Pair): boolean {
  const [a, b] = [before.now?.fold, pair.now?.fold];
  return a !== undefined && b !== undefined && b.at === a.at + 1 && b.self === a.next && changed(before) === null && changed(pair) === null;
}

function nodeOf(pair: Shown, within: string, touched: Touched): StateNode {
  const thing = (pair.now ?? pair.old)!;
  const part = pair.part ?? thing.part;
  const own = changed(pair);
  const { old } = pair;
  const differs = own === 'changed' && old !== null && (old.value !== thing.value || old.decoded !== thing.decoded);
  return {
    id: within === '' ? part : `${within}/${part}`,
    name: thing.name,
    range: thing.range ?? null,
    value: thing.value ?? null,
    decoded: thing.decoded || null,
    was: differs ? { value: old.value ?? null, decoded: old.decoded || null } : null,
    change: own,
    within: pair.now !== null && own !== 'new' && (pair.now.touchedBy?.(touched) ?? false),
    note: thing.note ?? null,
    stale: thing.stale ?? false,
    opens: thing.inside !== undefined,
    traced: (thing.words?.length ?? 0) > 0,
  };
}

/** Keys that rows [from, to) change. */
function touchedIn({ record }: RunView, from: number, to: number): Touched {
  const touched = new Map<Space, Set<number>>();
  for (let row = from; row < Math.min(to, record.length); row++) {
    if (!isChange(record.words, row)) continue;
    const space = spaceAt(record.words, row);
    let keys = touched.get(space);
    if (!keys) touched.set(space, (keys = new Set()));
    keys.add(keyAt(record.words, row));
  }
  return touched;
}
