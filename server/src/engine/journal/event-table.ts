/**
 * All events: one definition each, from which come its writer (emit.ts), its reader, the names that expectations know, its
 * entries in docs/events.md, and the demand for its words and its text in the kernel's trace. A kind without a definition does not compile,
 * nor does a definition without a kind.
 *
 * A row has a kind, an actor, a paging level, 16 bits in its first word and two 64-bit slots; an event with more goes on in
 * `more` rows. Where a field stands follows from its kind's width and its turn ({@link places}).
 */
import type { Definition } from './definition';
import { EXIT_EVENTS } from './definitions/exits';
import { MMIO_EVENTS } from './definitions/mmio';
import { PAGE_EVENTS } from './definitions/pages';
import { PROCESSOR_EVENTS } from './definitions/processor';
import { SCRIPT_EVENTS } from './definitions/script';
import { SPTE_EVENTS } from './definitions/sptes';
import { VM_EVENTS } from './definitions/vm';
import { WALK_EVENTS } from './definitions/walks';
import { Kind } from './events';
import { FIELD_KINDS, type FieldKind, type Read, type Written } from './field-kinds';

/** Kinds of rows that are events. */
export type EventName = Exclude<keyof typeof Kind, 'more' | 'change'>;

const DEFINITIONS = {
  ...SCRIPT_EVENTS,
  ...PROCESSOR_EVENTS,
  ...EXIT_EVENTS,
  ...WALK_EVENTS,
  ...PAGE_EVENTS,
  ...SPTE_EVENTS,
  ...MMIO_EVENTS,
  ...VM_EVENTS,
} as const satisfies { readonly [N in EventName]: Definition };

type Defined = Exclude<keyof typeof DEFINITIONS, EventName> extends never ? typeof DEFINITIONS : never;

type KindIn<F> = F extends readonly [infer K extends FieldKind, string] ? K : F extends FieldKind ? F : never;

/** Fields of an event, with their kinds. */
type FieldsOf<N extends EventName> = {
  readonly [F in keyof Defined[N]['fields'] & string]: KindIn<Defined[N]['fields'][F]>;
};
export type FieldName<N extends EventName> = N extends EventName ? keyof FieldsOf<N> & string : never;

/** Events that are KVM's tracepoints. */
export type TracepointName = { [N in EventName]: Defined[N] extends { readonly tracepoint: string } ? N : never }[EventName];

/** Events whose rows have a paging level. */
export type LeveledName = { [N in EventName]: Defined[N] extends { readonly level: string } ? N : never }[EventName];

/** What a writer of an event gives. */
export type WrittenFields<N extends EventName> = {
  readonly [F in keyof FieldsOf<N>]: Written<FieldsOf<N>[F] & FieldKind>;
} & (N extends LeveledName ? { readonly level: number } : unknown);

/** What a reader of an event gets. */
export type ReadFields<N extends EventName> = { readonly [F in keyof FieldsOf<N>]: Read<FieldsOf<N>[F] & FieldKind> };

/** A field and where it stands. */
export interface FieldSpec {
  readonly name: string;
  readonly kind: FieldKind;
  readonly bits: number;
  /** What it means beyond its kind; empty: nothing. */
  readonly about: string;
  /** 32-bit word among those of the event's slots, four a row; -1: in the first word, from {@link shift} on. */
  readonly word: number;
  readonly shift: number;
}

export interface EventSpec extends Omit<Definition, 'fields'> {
  readonly name: EventName;
  readonly kind: Kind;
  readonly fields: readonly FieldSpec[];
  /** Rows that it takes. */
  readonly rows: number;
}

const SMALL_BITS = 16;

/** Fields of up to 16 bits go into the row's first word as long as there is room, others into slots, a half each or a whole one. */
function places({ fields }: Definition): FieldSpec[] {
  let shift = 0;
  let word = 0;
  return Object.entries(fields).map(([name, given]): FieldSpec => {
    const [kind, about] = typeof given === 'string' ? [given, ''] : given;
    const { bits } = FIELD_KINDS[kind];
    const spec = { name, kind, bits, about };
    if (bits <= SMALL_BITS && shift + bits <= SMALL_BITS) {
      shift += bits;
      return { ...spec, word: -1, shift: shift - bits };
    }
    if (bits > 32) word += word & 1;
    const at = word;
    word += bits > 32 ? 2 : 1;
    return { ...spec, word: at, shift: 0 };
  });
}

function specOf(name: EventName): EventSpec {
  const definition: Definition = DEFINITIONS[name];
  const fields = places(definition);
  const words = Math.max(0, ...fields.map(({ word, bits }) => (word < 0 ? 0 : word + (bits > 32 ? 2 : 1))));
  return { ...definition, name, kind: Kind[name], fields, rows: Math.max(1, Math.ceil(words / 4)) };
}

const NAMES = Object.keys(DEFINITIONS) as EventName[];

/** All events by name, in the order of their kinds. */
export const EVENTS = Object.fromEntries(NAMES.sort((a, b) => Kind[a] - Kind[b]).map((name) => [name, specOf(name)])) as {
  readonly [N in EventName]: EventSpec & { readonly name: N };
};

const BY_KIND: (EventSpec | undefined)[] = [];
for (const spec of Object.values<EventSpec>(EVENTS)) BY_KIND[spec.kind] = spec;

/** The event of a kind; undefined for `more` and `change`. */
export function eventOfKind(kind: Kind): EventSpec | undefined {
  return BY_KIND[kind];
}

/** The event of a name that a user wrote. */
export function eventNamed(name: string): EventSpec | undefined {
  return Object.hasOwn(EVENTS, name) ? EVENTS[name as EventName] : undefined;
}

/** Whether an event is one of KVM's tracepoints. */
export function isTracepoint(name: EventName): name is TracepointName {
  return EVENTS[name].tracepoint !== undefined;
}
