/** Fields of an event in an expectation, and names that stand for their values. */
import { eventNamed } from '../../engine/journal/event-table';
import { FIELD_KINDS } from '../../engine/journal/field-kinds';
import { REASONS, valueWords } from '../../language/syntax/words/observed';

interface EventWord {
  readonly word: string;
  readonly about: string;
}

const list = (words: { readonly [word: string]: string }): EventWord[] => Object.entries(words).map(([word, about]) => ({ word, about }));

/** Names of an event's fields, with what each is; level and actor are of every event. */
export function fieldsOf(event: string): EventWord[] {
  const spec = eventNamed(event);
  if (!spec) return [];
  const own = spec.fields.map(({ name, kind, about }) => ({
    word: name,
    about: [FIELD_KINDS[kind].about, about].filter(Boolean).join('; '),
  }));
  return [
    ...own,
    { word: 'level', about: `paging level${spec.level === undefined ? '' : ` ${spec.level}`}` },
    { word: 'actor', about: 'who acted' },
  ];
}

/** Names of values of a field; null: of the event's first field. */
export function valuesOf(event: string, field: string | null): EventWord[] {
  const fields = eventNamed(event)?.fields ?? [];
  const of = field === null ? fields[0] : fields.find(({ name }) => name === field);
  if (!of) return [];
  return of.kind === 'exit_reason' ? list(REASONS) : list(valueWords(of.kind));
}
