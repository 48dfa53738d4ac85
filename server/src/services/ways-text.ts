/** The ways of one address under several kinds of MMU: what is the same of them is said once. */
import type { TranslationView, WalkHop } from '../protocol/messages';
import { translationMarkdown } from '../views/translation';
import { grouped } from './places';

export interface KindWay {
  readonly kinds: string;
  readonly way: TranslationView;
}

/**
 * Markdown: the first way whole, of the others what differs from it, those that say the same together.
 *
 * @param named say under which kinds
 */
export function waysText(ways: readonly KindWay[], named: boolean): string {
  const [first] = ways;
  return grouped(ways, ({ way }) => translationMarkdown(way))
    .map(({ said, of }) => {
      const [{ way }] = of;
      const kinds = [...new Set(of.map((each) => each.kinds))].join(', ');
      if (way === first.way || !sameGuest(way, first.way)) return named ? `**under ${kinds}**\n\n${said}` : said;
      return `**under ${kinds}** · the guest's tables are the same\n\n${translationMarkdown(withoutGuest(way))}`;
    })
    .join('\n\n');
}

const SHARED: ReadonlySet<WalkHop['stage']> = new Set(['guest', 'slot', 'host']);

/** The guest's tables and the memory behind the slot are the same, entry by entry. */
function sameGuest(a: TranslationView, b: TranslationView): boolean {
  const shared = ({ hops }: TranslationView): string =>
    JSON.stringify(hops.filter(({ stage }) => SHARED.has(stage)).map(({ stage, label, at, value, to }) => [stage, label, at, value, to]));
  return shared(a) === shared(b);
}

/** What the hypervisor's tables add: their own entries, and the guest's tables that they do not map. */
function withoutGuest(way: TranslationView): TranslationView {
  return { ...way, hops: way.hops.filter(({ stage, via }) => !SHARED.has(stage) || via.at(-1)?.to === null) };
}
