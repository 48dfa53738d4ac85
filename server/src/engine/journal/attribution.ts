/**
 * Whose changes are whose: a change row belongs to the event before it, or to the one that a `continued` row before it names. What
 * an event may change is part of its definition; {@link misplaced} finds what does not keep to it.
 */
import { eventOfKind } from './event-table';
import { Kind } from './events';
import { ROW_WORDS } from './journal';
import { Space, type Changeable } from './spaces';
import { isChange, keyAt, spaceAt, type Rows } from './state';

/** A change that its event may not make: a mistake of the engine. */
interface Misplaced {
  readonly row: number;
  readonly space: keyof typeof Space;
  readonly key: number;
  /** Event that it stands with; null: none came before it. */
  readonly event: string | null;
}

export function misplaced(rows: Rows): Misplaced[] {
  const { words } = rows;
  const found: Misplaced[] = [];
  let event: Kind | null = null;
  for (let row = 0; row < rows.length; row++) {
    const kind = kindAt(rows, row);
    if (kind === Kind.more) continue;
    if (!isChange(words, row)) {
      event = kindAt(rows, eventAtRow(rows, row));
      continue;
    }
    const space = spaceAt(words, row);
    const changes = event === null ? [] : (eventOfKind(event)?.changes ?? []);
    if (changes.includes(Space[space] as Changeable) || (space === Space.memory && changes.includes('sptes'))) continue;
    found.push({ row, space: Space[space] as keyof typeof Space, key: keyAt(words, row), event: event === null ? null : Kind[event] });
  }
  return found;
}

/** The event that an event row stands for: itself, or the one that goes on there. */
export function eventAtRow(rows: Rows, row: number): number {
  return kindAt(rows, row) === Kind.continued ? rows.words[row * ROW_WORDS + 1] : row;
}

function kindAt({ words }: Rows, row: number): Kind {
  return words[row * ROW_WORDS] & 0xff;
}
