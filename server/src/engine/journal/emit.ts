/**
 * The writer of events, told by their definitions. Rows of the hot path (accesses, walks, hits, fills) are written by hand, in
 * the same places; see {@link Journal.append}.
 */
import { high, low } from '../bits';
import { EVENTS, type EventName, type FieldSpec, type WrittenFields } from './event-table';
import { Kind } from './events';
import type { Halves } from './field-kinds';
import type { Journal } from './journal';

/** Words of the slots of an event: no event has more than eight slots. */
const words = new Int32Array(16);

/** Appends an event, whole or, where the budget of rows does not have its rows, not at all. */
export function emit<N extends EventName>(journal: Journal, name: N, values: WrittenFields<N>): void {
  if (journal.on !== true) return;
  const spec = EVENTS[name];
  if (!journal.reserve(spec.rows)) {
    journal.full = true;
    return;
  }
  const given = values as { readonly [field: string]: number | boolean | Halves };
  words.fill(0);
  let small = 0;
  for (const field of spec.fields) small |= put(field, given[field.name]);
  const level = spec.level === undefined ? 0 : (given.level as number);
  journal.append(journal.head(spec.kind, level, small), words[0], words[1], words[2], words[3]);
  for (let at = 4; at < spec.rows * 4; at += 4)
    journal.append(journal.head(Kind.more, 0, 0), words[at], words[at + 1], words[at + 2], words[at + 3]);
}

/** Puts a value into its words; returns its bits of the first word. */
function put({ word, bits, shift }: FieldSpec, value: number | boolean | Halves): number {
  if (typeof value === 'object') {
    words[word] = value.lo;
    words[word + 1] = value.hi;
    return 0;
  }
  const plain = Number(value);
  if (word < 0) return (plain & ((1 << bits) - 1)) << shift;
  words[word] = low(plain);
  if (bits > 32) words[word + 1] = high(plain);
  return 0;
}
