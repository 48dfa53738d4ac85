/** A choice among kinds: those first that more than a word tells. */
import type { IOrAlt, ParserMethod } from 'chevrotain';
import type { Read } from '../../kind';
import type { Grammar } from './rule';

/** A table of kinds whose nodes are all among `N`. */
type Kinds<N> = { readonly [name: string]: Read<N> };

export function alternatives<N>($: Grammar, kinds: Kinds<never> | Kinds<N>): IOrAlt<N | null>[] {
  const all = Object.values(kinds) as Read<N>[];
  const [told, others] = [all.filter(({ begins }) => begins), all.filter(({ begins }) => !begins)];
  return [...told, ...others].map(({ rule, begins }) => {
    let reader: ParserMethod<[], N | null> | undefined;
    const ALT = (): N | null => $.SUBRULE((reader ??= $.readerOf(rule) as ParserMethod<[], N | null>));
    return begins ? { GATE: () => begins($), ALT } : { ALT };
  });
}
