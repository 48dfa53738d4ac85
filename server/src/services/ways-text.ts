/** The ways of one address under several kinds of MMU: what is the same of them is said once. */
import type { TranslationView } from '../protocol/translation';
import { translationMarkdown } from '../views/translation-text';
import { grouped, listed } from './places';

interface KindWay {
  readonly kinds: string;
  /** Before the statement that the address is in; of a declaration, when the script begins. */
  readonly way: TranslationView;
  /** What it comes to after the statement, where that is something else; null: the same, or there is no statement. */
  readonly after: string | null;
  /** What the access at the address came to; null: nothing accesses it there. */
  readonly cameTo: string | null;
}

/**
 * Markdown: the first way whole, of the others what differs from it, those that say the same together.
 *
 * @param named say under which kinds
 */
export function waysText(ways: readonly KindWay[], named: boolean): string {
  const [first] = ways;
  return grouped(ways, (each) => wayText(each, translationMarkdown(each.way)))
    .map(({ said, of }) => {
      const [one] = of;
      const kinds = listed(of.map((each) => each.kinds)).join('; ');
      if (one === first || !sameGuest(one.way, first.way)) return named ? `**under ${kinds}**\n\n${said}` : said;
      return `**under ${kinds}** · the guest's tables are the same\n\n${wayText(one, translationMarkdown(one.way, 'hypervisors'))}`;
    })
    .join('\n\n');
}

/** The way, with what came of the statement around it. */
function wayText({ cameTo, after }: KindWay, way: string): string {
  if (cameTo === null && after === null) return way;
  const head = cameTo === null ? '' : `came to \`${cameTo}\`\n\n`;
  return `${head}before this statement: ${way}${after === null ? '' : `\n\nafter it: \`${after}\``}`;
}

/** The guest's tables and the memory behind the slot are the same, entry by entry. */
function sameGuest(a: TranslationView, b: TranslationView): boolean {
  const shared = ({ walks, stations }: TranslationView): string =>
    JSON.stringify([
      walks
        .filter(({ stage }) => stage === 'guest')
        .map(({ entries }) => entries.map(({ label, at, value, to }) => [label, at, value, to])),
      stations.flatMap(({ links }) => links.filter(({ by }) => by === 'slot' || by === 'page')),
    ]);
  return shared(a) === shared(b);
}
