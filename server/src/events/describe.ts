/** One event in a few words: what the list of steps, the terminal and the trace panel show of it. */
import { EVENTS, eventOfKind, type EventName } from '../engine/journal/event-table';
import type { Kind } from '../engine/journal/events';
import { FIELD_KINDS, type FieldKind, type FieldKindSpec } from '../engine/journal/field-kinds';
import type { Program } from '../engine/program';
import type { StepKind } from '../protocol/messages';
import { fieldName } from './decode';
import { fieldsOf, type Event, type Field } from './fields';
import { flags } from './words/codes';
import { EXIT_WORDS } from './words/exits';
import { MMIO_WORDS } from './words/mmio';
import { PAGE_WORDS } from './words/pages';
import { PROCESSOR_WORDS, SCRIPT_WORDS } from './words/processor';
import { SPTE_WORDS } from './words/sptes';
import { VM_WORDS } from './words/vm';
import { WALK_WORDS } from './words/walks';
import type { Words } from './words/words';
import { hex } from './wording';

const WORDS: Words<EventName> = {
  ...SCRIPT_WORDS,
  ...PROCESSOR_WORDS,
  ...EXIT_WORDS,
  ...WALK_WORDS,
  ...PAGE_WORDS,
  ...SPTE_WORDS,
  ...MMIO_WORDS,
  ...VM_WORDS,
};

interface Described {
  readonly text: string;
  /** The address that the event is about, when it has one. */
  readonly address: string | null;
  readonly kind: StepKind;
}

export function describe(event: Event, program: Program): Described {
  // The table has the words of this very event.
  const words = WORDS[event.name] as (event: Event, program: Program) => string;
  return { text: words(event, program), address: addressOf(event), kind: EVENTS[event.name].group };
}

export function stepKind(kind: Kind): StepKind {
  return eventOfKind(kind)?.group ?? 'other';
}

/** A field as text: addresses and entries in hexadecimal, error codes as flags, names where numbers stand for them. */
export function fieldText(field: Field, program: Program): string {
  const name = fieldName(field, program);
  if (name !== null) return name;
  const { written }: FieldKindSpec = FIELD_KINDS[field.kind];
  if (written === 'flags') return flags(Number(field.value));
  return written === 'decimal' ? field.value.toString() : hex(field.value);
}

const ADDRESSES: readonly FieldKind[] = ['gva', 'gpa', 'hva', 'hpa'];

function addressOf(event: Event): string | null {
  const fields = fieldsOf(event);
  // Where the guest's code stands is made up (docs/model.md, D11).
  const address = fields.find(({ name, kind }) => ADDRESSES.includes(kind) && name !== 'rip');
  if (address) return hex(address.value);
  const frame = fields.find(({ kind }) => kind === 'gfn');
  return frame ? hex(frame.value << 12n) : null;
}
