/** Fields of an event in an expectation, and names that stand for their values. */
import { EVENTS } from '../../engine/journal/events';
import { ACTORS, EVENT_VALUES, REASONS } from '../../language/syntax/words/observed';

export interface EventWord {
  readonly word: string;
  readonly about: string;
}

const list = (words: { readonly [word: string]: string }): EventWord[] => Object.entries(words).map(([word, about]) => ({ word, about }));

/** Names of an event's fields, with what each is; level and actor are of every event. */
export function fieldsOf(event: string): EventWord[] {
  const spec = Object.values(EVENTS).find(({ name }) => name === event);
  if (!spec) return [];
  const own = spec.slots.map(({ name, as }) => ({ word: name, about: as }));
  return [
    ...(spec.small ? [{ word: spec.small, about: 'number' }] : []),
    ...own,
    { word: 'level', about: 'paging level' },
    { word: 'actor', about: 'who acted' },
  ];
}

/** Names of values of a field; null: of the event's first field. */
export function valuesOf(event: string, field: string | null): EventWord[] {
  if (field === 'actor') return list(ACTORS);
  const first = fieldsOf(event)[0]?.word;
  if (field !== null && field !== first) return [];
  return [...list(EVENT_VALUES[event] ?? {}), ...(first === 'reason' ? list(REASONS) : [])];
}
