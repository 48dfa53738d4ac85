/** Expected sequences of events against the journal: each after the one before it, others in between allowed. */
import { Actor } from '../engine/journal/events';
import type { Rows } from '../engine/journal/state';
import type { EventPattern, Program } from '../engine/program';
import type { ExpectationResult } from '../engine/result';
import { fieldName } from '../events/decode';
import { describe } from '../events/describe';
import { eventAt, fieldNamed, fieldsOf, type Event, type Field } from '../events/fields';
import { hex } from '../events/wording';

/** Judges patterns over the journal from a row on. */
export function matchEvents(patterns: readonly EventPattern[], rows: Rows, from: number, program: Program): ExpectationResult {
  const expected = `events ${patterns.map(patternText).join(', ')}`;
  const result = (holds: boolean, got: string, instead: string | null): ExpectationResult => ({
    kind: 'expectation',
    holds,
    expected,
    got,
    instead,
  });
  let next = 0;
  let nearest: Event | null = null;
  for (let row = from; row < rows.length && next < patterns.length; row++) {
    const event = eventAt(rows, row);
    if (!event || event.spec.name !== patterns[next].name) continue;
    if (matches(event, patterns[next], program)) {
      next++;
      nearest = null;
    } else nearest = event;
  }
  if (next === patterns.length) return result(true, 'in this order', null);
  const wanted = patternText(patterns[next]);
  const after = next === 0 ? '' : ` after ${patternText(patterns[next - 1])}`;
  const instead = nearest ? `; the last ${nearest.spec.name} there is ${describe(nearest, program).text}` : '';
  return result(false, `no ${wanted}${after}${instead}`, happened(patterns, rows, from, program));
}

/**
 * The patterns as they would hold: one that nothing matches gets the fields of the next event of its name, or goes when there
 * is none. Null: none is left.
 */
function happened(patterns: readonly EventPattern[], rows: Rows, from: number, program: Program): string | null {
  const left: EventPattern[] = [];
  let row = from;
  for (const pattern of patterns) {
    let first: Event | null = null;
    let found: Event | null = null;
    for (let at = row; at < rows.length && !found; at++) {
      const event = eventAt(rows, at);
      if (!event || event.spec.name !== pattern.name) continue;
      first ??= event;
      if (matches(event, pattern, program)) found = event;
    }
    const event = found ?? first;
    if (!event) continue;
    left.push(found ? pattern : asHappened(pattern, event, program));
    row = event.row + 1;
  }
  return left.length > 0 ? `events ${left.map(patternText).join(', ')}` : null;
}

function asHappened({ name, fields }: EventPattern, event: Event, program: Program): EventPattern {
  return {
    name,
    fields: fields.map((each) => {
      if (each.name === 'level') return { ...each, value: BigInt(event.level) };
      if (each.name === 'actor') return { ...each, value: Actor[event.actor] };
      const found = fieldOf(event, each.name);
      if (!found) return each;
      const said = typeof each.value === 'string' ? fieldName(found, program) : null;
      return { ...each, value: said !== null && /^\w+$/.test(said) ? said : found.value };
    }),
  };
}

function matches(event: Event, pattern: EventPattern, program: Program): boolean {
  return pattern.fields.every(({ name, value }) => {
    if (name === 'level') return typeof value === 'bigint' && BigInt(event.level) === value;
    if (name === 'actor') return Actor[event.actor] === value;
    const field = fieldOf(event, name);
    return field !== null && (typeof value === 'bigint' ? field.value === value : named(field, value, program));
  });
}

/** A field by name, the first one without; null: there is none. */
function fieldOf(event: Event, name: string | null): Field | null {
  return name === null ? (fieldsOf(event)[0] ?? null) : fieldNamed(event, name);
}

/** Names that stand for an intercepted #PF on either vendor. */
const PAGE_FAULTS = ['EXCEPTION_NMI', 'PF excp'];

function named(field: Field, value: string, program: Program): boolean {
  const name = fieldName(field, program);
  return name === value || (value === '#PF' && name !== null && PAGE_FAULTS.includes(name));
}

/** Small numbers are the same either way. */
function number(value: bigint): string {
  return value < 10n ? String(value) : hex(value);
}

function patternText({ name, fields }: EventPattern): string {
  if (fields.length === 0) return name;
  const said = fields.map(
    (each) => `${each.name === null ? '' : `${each.name} `}${typeof each.value === 'bigint' ? number(each.value) : each.value}`,
  );
  return `${name}(${said.join(', ')})`;
}
