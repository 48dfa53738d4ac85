/** What can stand at a place of a text, told by the grammar. */
import type { Way } from './grammar/explorer';
import { signBehind } from './grammar/first';
import type { BodyOf } from './grammar/lists';
import { productions } from './grammar/recording';
import type { Value } from './grammar/rule';
import type { Category } from './keywords';
import * as t from './tokens';
import type { DefinitionOf, Reference } from './tree';
import { waysAt } from './ways';

export type { BodyOf } from './grammar/lists';
export type { ValueOf } from './grammar/rule';

/** One thing that can stand at the place. */
export type ExpectedItem = (
  | /** A word of the language. `as` and `of`: where it is explained (keywords.ts), when the place tells. */
    { readonly kind: 'word'; readonly text: string; readonly as?: Category; readonly of?: string }
    /** `{`, `->`, `=` … */
  | { readonly kind: 'sign'; readonly text: string }
  | { readonly kind: 'number' }
  /** A name that is used: a constant, tables, a VM …; with the sign that has to stand behind it. */
  | { readonly kind: 'reference'; readonly to: Reference['to']; readonly sign: string | null }
  /** A name that is made up here. */
  | { readonly kind: 'definition'; readonly of: DefinitionOf }
  /** A string: the path of another file, or null for a title. */
  | { readonly kind: 'string'; readonly path: 'import' | 'load' | null }
  /** The name of a field of an event. */
  | { readonly kind: 'field'; readonly event: string }
) & {
  /** It begins an item of this body; null: it goes on with what stands before it. */
  readonly begins: BodyOf | null;
  /** What the expression is of that it begins; null: it begins none. */
  readonly value: ExpectedValue | null;
};

type ExpectedValue = Pick<Value, 'what' | 'of' | 'owner'>;

export interface Expected {
  /** Where the word at the place begins; it is replaced. Within a string: where what is in quotes begins. */
  readonly start: number;
  /** Empty in a comment. */
  readonly items: readonly ExpectedItem[];
  /** The bodies around the place, the innermost last. */
  readonly bodies: readonly BodyOf[];
  /** The place is in quotes. */
  readonly quoted: boolean;
}

const NOTHING = { items: [], bodies: [], quoted: false } as const;

/** What can stand at an offset, as a word that is written there or replaces the one before the cursor. */
export function expectedAt(text: string, offset: number): Expected {
  const at = waysAt(text, offset);
  if (!at) return { start: offset, ...NOTHING };
  const { start, bodies, quoted } = at;
  const items = distinct(at.ways.flatMap(itemsOf));
  return quoted
    ? { start: start + 1, items: items.filter(({ kind }) => kind === 'string'), bodies, quoted }
    : { start, items, bodies, quoted };
}

/* ---------------------------------------------------------------- ways to items */

function itemsOf(way: Way): ExpectedItem[] {
  const { begins } = way;
  const value = way.value && {
    what: way.value.what,
    of: way.value.of,
    ...(way.value.owner === undefined ? {} : { owner: way.value.owner }),
  };
  return thingsOf(way).map((thing) => ({ ...thing, begins, value }) as ExpectedItem);
}

type Thing = ExpectedItem extends infer T ? (T extends ExpectedItem ? Omit<T, 'begins' | 'value'> : never) : never;

function thingsOf({ type, options, already, event, frame, occurrence }: Way): Thing[] {
  const explained = t.explanationOf(type);
  if (explained) {
    const { as, of, words } = explained;
    const isThere = as === 'flag' || as === 'fault-flag' ? already : [];
    return words.filter((text) => !isThere.includes(text)).map((text) => ({ kind: 'word', text, as, ...(of === undefined ? {} : { of }) }));
  }
  if (options?.DEFINES) return [{ kind: 'definition', of: options.DEFINES }];
  if (options?.REFERS) {
    const sign = signBehind(productions()[frame.rule]!, type, occurrence);
    return [{ kind: 'reference', to: options.REFERS, sign: sign && t.textOf(sign) }];
  }
  if (type === t.Str) return [{ kind: 'string', path: options?.PATH ?? null }];
  if (type === t.Num) return [{ kind: 'number' }];
  if (type === t.AnyWord) return [{ kind: 'field', event }];
  const words = t.WORD_TYPES.includes(type) ? [type] : [];
  if (words.length > 0) return [{ kind: 'word', text: t.textOf(type) }];
  const signs = t.SIGNS.filter((sign) => t.isOf(sign, type));
  return signs.map((sign) => ({ kind: 'sign', text: t.textOf(sign) }));
}

function distinct(items: readonly ExpectedItem[]): ExpectedItem[] {
  return [...new Map(items.map((item) => [JSON.stringify(item), item])).values()];
}
