/** Who wrote a thing of the state, by the journal, and what made a cached translation stale. */
import { ROW_WORDS } from '../../engine/journal/journal';
import { Space, SPACES } from '../../engine/journal/spaces';
import { isChange, keyAt, spaceAt } from '../../engine/journal/state';
import type { Rows } from '../../engine/journal/state';
import { hex } from '../../events/wording';
import type { StateLink, StateOrigin } from '../../protocol/state';
import type { RunView } from '../view';
import { thingAt } from './sections';
import { standing } from './stale-lines';
import { stepLink } from './step-link';
import type { Thing, Word } from './thing';
import { cachedLinesOf, isStale, ownerOf } from './tlb';
import type { Stretch } from './tree';
import { usersOf } from './users';

/** Steps that are named as writers. */
const MOST_WRITERS = 4;

/** Null: there is no such thing, before or after. */
export function stateOrigin(view: RunView, { from, to }: Stretch, id: string): StateOrigin | null {
  const now = thingAt(view.machine(to), id);
  const users = now ? usersOf(view, view.machine(to), now, { from, to }) : [];
  const stale = now?.stale ? staleSince(view, now, to) : null;
  const thing = now ?? thingAt(view.machine(from), id);
  return thing && { writers: writersOf(view, thing.words ?? [], to), users, stale };
}

/** Steps that changed one of these words, the latest first. */
function writersOf(view: RunView, words: readonly Word[], before: number): StateLink[] {
  const { record, steps } = view;
  const found: StateLink[] = [];
  for (let row = before - 1; row >= 0 && found.length < MOST_WRITERS; row--) {
    if (!words.some((word) => changes(record, row, word))) continue;
    const step = steps.stepOfRow(row);
    if (found.at(-1)?.step !== step) found.push(stepLink(view, step));
  }
  return found;
}

/** A row is a change of a word, or of the half that is meant. */
function changes({ words }: Rows, row: number, { space, key, half }: Word): boolean {
  if (!isChange(words, row) || spaceAt(words, row) !== space || keyAt(words, row) !== key) return false;
  return half === undefined || words[row * ROW_WORDS + (half === 'lo' ? 3 : 4)] !== 0;
}

/** The last write, since a line was filled, to an entry that it goes through by now. */
function staleSince(view: RunView, { words }: Thing, before: number): StateLink | null {
  const machine = view.machine(before);
  const cached = cachedLinesOf(machine).find(({ key }) => words!.some((word) => word.key === key));
  const owner = cached && ownerOf(cached, standing(machine));
  if (!owner || !isStale(cached, owner)) return null;
  const path = owner.path(cached.line.page, cached.second, cached.line.rights);
  const { record, steps } = view;
  for (let row = before - 1; row >= 0; row--) {
    if (words!.some((word) => changes(record, row, word))) return null;
    if (!isChange(record.words, row) || spaceAt(record.words, row) !== Space.memory) continue;
    const address = SPACES[Space.memory].key.field(keyAt(record.words, row), 'address');
    const entry = path.find(({ hpa }) => hpa - (hpa % 8) === address);
    if (!entry) continue;
    const lo = BigInt(record.words[row * ROW_WORDS + 3] >>> 0) | (BigInt(record.words[row * ROW_WORDS + 4] >>> 0) << 32n);
    if ((lo & ~entry.flags) === 0n) continue;
    return stepLink(view, steps.stepOfRow(row), `${entry.label} at hpa ${hex(entry.hpa)} was written: `);
  }
  return null;
}
