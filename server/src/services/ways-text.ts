/**
 * The way of an address under the kinds of MMU of a run, to be seen at a glance: what it comes to and why, the addresses reached, the
 * entries that matter, all others in one line. What kinds agree on is said once.
 */
import { bitNames } from '../events/entry-text';
import type { TableEntry, TranslationView } from '../protocol/translation';
import { everyEntry } from '../views/way/every-entry';
import type { EntryOf } from '../views/way/every-entry';
import { since } from '../views/way/since';
import { sentence } from '../views/way/verdicts';
import { TOGETHER, blockOf, fitting, rowsOf } from './hover-lines';
import type { Line } from './hover-lines';
import { plainText } from './markdown';
import { grouped, listed } from './places';

export interface KindWay {
  readonly kinds: string;
  /** Before the statement that the address is in; of a declaration, when the script begins. */
  readonly way: TranslationView;
  /** After the statement; null: there is none. */
  readonly after: TranslationView | null;
  /** What the access at the address came to; null: nothing accesses it there. */
  readonly cameTo: string | null;
}

/** Outcomes that differ, and changed entries, each of which has a line. */
const MOST_HEADS = 3;
const MOST_CHANGED = 4;

/**
 * Markdown.
 *
 * @param room lines that there are
 */
export function waysText(ways: readonly KindWay[], room: number): string {
  if (ways.length === 0) return '';
  const heads = saidBy(ways, ({ way, cameTo }) => [cameTo ?? sentence(way.end)]);
  const top = heads.slice(0, MOST_HEADS).map(({ kinds, text }) => `${kinds}**${plainText(text)}**`);
  if (heads.length > MOST_HEADS) top.push(`… and ${heads.length - MOST_HEADS} other outcomes`);
  const lines = [
    ...saidBy(ways, statementTexts).map(({ kinds, text }): Line => ({ text: kinds + text, rank: 1 })),
    ...chains(ways),
    ...saidBy(ways, decidingTexts).map(({ kinds, text }): Line => ({ text: kinds + text, rank: 1 })),
    ...saidBy(ways, staleTexts).map(({ kinds, text }): Line => ({ text: kinds + text, rank: 1 })),
    ...saidBy(ways, changedTexts).map(({ kinds, text }): Line => ({ text: kinds + text, rank: 2 })),
    ...grouped(saidBy(ways, restTexts), ({ kinds }) => kinds).map(({ said, of }): Line => ({
      text: `${said}and ${of.map(({ text }) => text).join(' · ')}`,
      rank: 3,
    })),
  ];
  return [top.join('  \n'), blockOf(fitting(lines, room - rowsOf(top)))].filter(Boolean).join('\n\n');
}

/** Each text once, with the kinds that say it where others do not. */
function saidBy(
  ways: readonly KindWay[],
  textsOf: (way: KindWay) => readonly string[],
): { readonly kinds: string; readonly text: string }[] {
  const all = ways.flatMap((way) => textsOf(way).map((text) => ({ kinds: way.kinds, text })));
  return grouped(all, ({ text }) => text).map(({ said, of }) => ({
    text: said,
    kinds: of.length === ways.length ? '' : `${listed(of.map(({ kinds }) => kinds)).join('; ')}: `,
  }));
}

/** Of which moment all this is, where that is not what the statement came to, and what the statement makes of it. */
function statementTexts({ way, after, cameTo }: KindWay): readonly string[] {
  const { now, end } = way;
  const head = cameTo ?? sentence(end);
  const exits = now !== null && now.kind === 'exit' && now !== end;
  const before = exits ? `exits first: ${sentence(now)}` : sentence(end) === head ? null : sentence(end);
  if (cameTo === null && after === null) return before === null ? [] : [before];
  const then = after !== null && sentence(after.end) !== head && after.outcome !== way.outcome ? `after it: ${sentence(after.end)}` : null;
  const changes = after !== null && changedOf(way, after).length > 0 ? ' (→ after it)' : '';
  return [`before this statement${changes}`, before, then].filter((each) => each !== null);
}

/** The addresses reached, as far as all kinds agree; what is beyond, where it is more than the last one, is of each. */
function chains(ways: readonly KindWay[]): Line[] {
  const all = ways.map(({ way }) =>
    way.stations.flatMap(({ space, address }) => (address === null ? [] : [`${space}${TOGETHER}${address}`])),
  );
  const [first] = all;
  let common = 0;
  while (common < first.length && all.every((each) => each[common] === first[common])) common++;
  const lines: Line[] = [{ text: first.slice(0, common).join(' → '), rank: 0 }];
  const beyond = saidBy(ways, (way) => {
    const rest = all[ways.indexOf(way)].slice(common);
    return rest.length > 1 ? [`→ ${rest.join(' → ')}`] : [];
  });
  return [...lines, ...beyond.map(({ kinds, text }): Line => ({ text: kinds + text, rank: 2 }))];
}

/** What decides, as the statement leaves it where it changes that. */
function decidingTexts({ way, after }: KindWay): readonly string[] {
  const changed = new Map((after ? changedOf(way, after) : []).map((each) => [keyOf(each), each]));
  return decidingOf(way).map((each) => entryText(changed.get(keyOf(each)) ?? each));
}

const decidingOf = (way: TranslationView): EntryOf[] => everyEntry(way).filter(({ entry }) => entry.decides !== null);

function staleTexts({ way: { cached, notes } }: KindWay): readonly string[] {
  const found = notes.filter((note) => note.includes('stale'));
  if (cached?.stale && found.length === 0) found.push(`${cached.text}; stale: ${cached.stale}`);
  return found;
}

function changedOf(way: TranslationView, after: TranslationView): EntryOf[] {
  return everyEntry(since(way, after)).filter(({ entry }) => entry.was !== null);
}

/** What the statement changes of the entries, the last ones only where there are many. */
function changedTexts({ way, after }: KindWay): readonly string[] {
  if (!after) return [];
  const deciding = new Set(decidingOf(way).map(keyOf));
  const changed = changedOf(way, after).filter((each) => !deciding.has(keyOf(each)));
  const shown = changed.slice(-MOST_CHANGED).map((each) => entryText(each));
  return changed.length > shown.length ? [`${changed.length - shown.length} entries change, and`, ...shown] : shown;
}

/** The entries that need no line: those of the first stage by name, the others by number; and where the memory is. */
function restTexts({ way, after }: KindWay): readonly string[] {
  const changed = new Set(after ? changedOf(way, after).map(keyOf) : []);
  const rest = everyEntry(way).filter((each) => each.entry.decides === null && !changed.has(keyOf(each)));
  const first = new Set(way.walks.flatMap(({ entries }) => entries));
  const named = rest.filter(({ entry }) => first.has(entry));
  const others = grouped(rest.filter(({ entry }) => !first.has(entry)), ({ walk }) => walk.table); // prettier-ignore
  const memory = way.stations.flatMap(({ links }) => links).filter(({ by }) => by === 'slot' || by === 'page');
  return [
    ...grouped(named, ({ walk }) => walk.table).map(({ said, of }) => `${said} ${of.map(({ entry }) => placeOf(entry)).join(' ')}`),
    ...others.map(({ said, of }) => `${of.length} ${of.length === 1 ? 'entry' : 'entries'} of ${said}`),
    memory.map(({ label }) => label).join(', '),
  ].filter(Boolean);
}

const placeOf = ({ label, index }: TableEntry): string => `${label}[${index}]`;
const keyOf = ({ walk, entry }: EntryOf): string => `${walk.table} ${walk.from.address} ${entry.level}`;

/** `PT[2] at gpa 0x4010: 0x20_2005, P U/S, without R/W`; `PT[0] at gpa 0x4000: 0x20_0007 → 0x20_0067, P R/W U/S A D`. */
function entryText({ walk, entry }: EntryOf): string {
  const { at, space, value, was, bits, note } = entry;
  const named = /[012]/.test(walk.table) || walk.stage === 'shadow' ? `${walk.table} ` : '';
  const place = at === null ? 'a register' : `at ${space} ${at}`;
  const missing = bits.filter(({ denies, set }) => denies && !set).map(({ name }) => name);
  const said = [
    `${was === null ? '' : `${was} → `}${value ?? 'no memory'}`,
    value !== null && value !== '0x0' && bitNames(bits),
    missing.length > 0 && value !== '0x0' && `without ${missing.join(' ')}`,
    note,
  ];
  return `${named}${placeOf(entry)} ${place}: ${said.filter(Boolean).join(', ')}`;
}
