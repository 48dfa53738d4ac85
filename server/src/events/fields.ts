/**
 * Journal rows as events with fields: the one reader of a row's layout, told by the definitions. A row becomes an object only
 * here, when someone looks at it.
 */
import { toBigInt } from '../engine/bits';
import { eventOfKind, type EventName, type EventSpec, type FieldSpec, type ReadFields } from '../engine/journal/event-table';
import { Kind, type Actor } from '../engine/journal/events';
import type { FieldKind } from '../engine/journal/field-kinds';
import { ROW_WORDS } from '../engine/journal/journal';
import type { Rows } from '../engine/journal/state';

/** An event of one name, or of several: `kind` and `name` tell which, and with it which fields there are. */
export type EventOf<N extends EventName> = N extends EventName
  ? {
      /** Journal row of the event; its `more` and `change` rows follow. */
      readonly row: number;
      readonly kind: (typeof Kind)[N];
      readonly name: N;
      readonly actor: Actor;
      readonly level: number;
      readonly spec: EventSpec;
      readonly fields: ReadFields<N>;
    }
  : never;

export type Event = EventOf<EventName>;

/** A field by name, of whichever event. */
export interface Field {
  readonly name: string;
  readonly kind: FieldKind;
  readonly value: bigint;
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
  const head = rows.words[row * ROW_WORDS];
  const spec = eventOfKind(head & 0xff);
  if (!spec) return null;
  const { kind, name } = spec;
  const fields: { [field: string]: bigint | number } = {};
  for (const each of spec.fields) fields[each.name] = valueAt(rows, row, each);
  return { row, kind, name, actor: (head >>> 8) & 15, level: (head >>> 12) & 15, spec, fields } as unknown as Event;
}

/** A field's value, as {@link eventAt} has it; 0 when its `more` row is not there (a walk of the guest's own tables says no stage, a journal was full). */
export function valueAt(rows: Rows, row: number, { word, bits, shift }: FieldSpec): bigint | number {
  const { words, length } = rows;
  if (word < 0) return (words[row * ROW_WORDS] >>> (16 + shift)) & ((1 << bits) - 1);
  const at = row + (word >> 2);
  const there = word < 4 || (at < length && kindAt(rows, at) === Kind.more);
  const offset = at * ROW_WORDS + 1 + (word & 3);
  if (bits > 32) return there ? toBigInt(words[offset], words[offset + 1]) : 0n;
  return there ? words[offset] >>> 0 : 0;
}

/** All fields in order. */
export function fieldsOf(event: Event): Field[] {
  const values = event.fields as { readonly [field: string]: bigint | number };
  return event.spec.fields.map(({ name, kind }) => ({ name, kind, value: BigInt(values[name]) }));
}

/** A field by name; null when the event has none of that name. */
export function fieldNamed(event: Event, name: string): Field | null {
  return fieldsOf(event).find((each) => each.name === name) ?? null;
}
