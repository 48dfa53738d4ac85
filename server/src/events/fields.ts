/**
 * Journal rows as events with fields: the one reader of a row's layout, told by the EVENTS table. A row becomes an object
 * only here, when someone looks at it.
 */
import { EVENTS, Kind } from '../engine/journal/events';
import type { Actor, EventSpec, SlotKind } from '../engine/journal/events';
import { ROW_WORDS } from '../engine/journal/journal';
import type { Rows } from '../engine/journal/state';
import { toBigInt } from '../engine/bits';

export interface Field {
  readonly name: string;
  /** `small`: the row's 16-bit field. */
  readonly as: SlotKind | 'small';
  readonly value: bigint;
}

export interface Event {
  /** Journal row of the event; its `more` and `change` rows follow. */
  readonly row: number;
  readonly kind: Kind;
  readonly actor: Actor;
  readonly level: number;
  readonly spec: EventSpec;
  /** `small` first, when the event has one, then the slots in order. */
  readonly fields: readonly Field[];
}

export function kindAt(rows: Rows, row: number): Kind {
  return rows.words[row * ROW_WORDS] & 0xff;
}

/** A row that is an event of its own: not `more`, not a change of state. */
export function isEvent(rows: Rows, row: number): boolean {
  const kind = kindAt(rows, row);
  return kind !== Kind.more && kind !== Kind.change;
}

/** The event at a row; null when the row is none. */
export function eventAt(rows: Rows, row: number): Event | null {
  if (row < 0 || row >= rows.length) return null;
  const { words } = rows;
  const head = words[row * ROW_WORDS];
  const kind: Kind = head & 0xff;
  const spec = EVENTS[kind];
  if (!spec) return null;
  const fields: Field[] = [];
  if (spec.small !== undefined) fields.push({ name: spec.small, as: 'small', value: BigInt(head >>> 16) });
  for (let i = 0; i < spec.slots.length; i++) {
    const at = slotOffset(rows, row, i);
    if (at < 0) break;
    fields.push({ name: spec.slots[i].name, as: spec.slots[i].as, value: toBigInt(words[at], words[at + 1]) });
  }
  return { row, kind, actor: (head >>> 8) & 15, level: (head >>> 12) & 15, spec, fields };
}

/** Offset in words of slot `i` of the event at `row`; -1 when its `more` row is not there (the journal was full). */
function slotOffset(rows: Rows, row: number, i: number): number {
  const at = row + (i >> 1);
  if (i >= 2 && (at >= rows.length || kindAt(rows, at) !== Kind.more)) return -1;
  return at * ROW_WORDS + 1 + (i & 1) * 2;
}

/** A field's value by name; null when the event has none of that name. */
export function field(event: Event, name: string): bigint | null {
  return event.fields.find((each) => each.name === name)?.value ?? null;
}
