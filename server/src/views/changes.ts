/**
 * What changed between two rows of a run, for people: journal keys gathered into the things they are parts of (a register, a
 * slot, a cached translation), each with its state before and after.
 */
import type { Space } from '../engine/journal/spaces';
import { isChange, keyAt, spaceAt } from '../engine/journal/state';
import type { Change } from '../protocol/messages';
import { SPACE_VIEWS } from './change-spaces';
import type { RunView } from './view';

/** Changes shown of one step; more are counted. */
const MOST = 200;

/** Changes of state in rows [from, to). */
export function changesBetween(view: RunView, from: number, to: number): Change[] {
  const things = thingsChanged(view, from, to);
  const changes = changesOf(view, from, to, things.slice(0, MOST));
  if (things.length > MOST) changes.push({ space: '…', what: `${things.length - MOST} more changes`, from: '', to: '', note: null });
  return changes;
}

/** What became of some things in rows [from, to), as far as it is not what it was. */
export function changesOf(view: RunView, from: number, to: number, things: readonly Thing[]): Change[] {
  const before = view.machine(from);
  const texts = things.map(({ space, key }) => ({ space, key, from: SPACE_VIEWS[space].text(before, key) }));
  const befores = things.map(({ space, key }) => SPACE_VIEWS[space].what(before, key));
  const after = view.machine(to);
  const changes: Change[] = [];
  texts.forEach(({ space, key, from: old }, i) => {
    const { name, text, what, note } = SPACE_VIEWS[space];
    const now = text(after, key);
    if (now === old) return;
    changes.push({
      space: name,
      what: what(after, key) ?? befores[i] ?? '',
      from: old,
      to: now,
      note: note?.(after, key, old, now) ?? null,
    });
  });
  return changes;
}

interface Thing {
  readonly space: Space;
  readonly key: number;
}

/** Things that rows [from, to) touch, in order of first touch. */
function thingsChanged({ record }: RunView, from: number, to: number): Thing[] {
  const seen = new Map<string, Thing>();
  const { words } = record;
  for (let row = from; row < Math.min(to, record.length); row++) {
    if (!isChange(words, row)) continue;
    const space = spaceAt(words, row);
    const key = SPACE_VIEWS[space].thing(keyAt(words, row));
    if (key !== null && !seen.has(`${space} ${key}`)) seen.set(`${space} ${key}`, { space, key });
  }
  return [...seen.values()];
}
