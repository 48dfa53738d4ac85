/**
 * The way of an address, drawn: each table a column with the entry read in it, an arrow to the next, the addresses reached in between.
 * What translates the address of a table (EPT or NPT) stands beneath that table's column.
 */
import type { EntryBit, TranslationView, WalkHop } from '../../../server/src/protocol/messages';
import { el, spoken } from '../dom';
import type { Child } from '../dom';
import { valueOf } from './numbers';

const STAGES: { readonly [stage in WalkHop['stage']]: string } = {
  guest: 'Guest tables',
  l1: "L1's tables",
  ept: 'EPT',
  npt: 'NPT',
  shadow: 'Shadow tables, which the processor walks',
  slot: 'Memory slot',
  host: 'Host',
};

/** Stages that translate an address of the stage before them: they stand beneath the address, not beside it. */
const BENEATH: ReadonlySet<WalkHop['stage']> = new Set(['ept', 'npt', 'l1']);

/** @param current address of the entry that the step is about; it is marked */
export function drawWalk(view: TranslationView, current: string | null): HTMLElement {
  const reached = view.stations.at(-1);
  const complete = reached?.space.toLowerCase() === 'hpa';
  const tracks = tracksOf(view).map((track) => drawTrack(track, current));
  const outcome = el('div', { class: `outcome ${complete ? 'reached' : 'stopped'}`, text: view.outcome });
  const cached = view.cached ? el('div', { class: `cached${/^stale/.test(view.cached) ? ' stale' : ''}`, text: view.cached }) : null;
  return el('div', { class: 'walk' }, el('div', { class: 'result' }, outcome, cached), ...tracks);
}

/** One line of the drawing: a way from an address to another. */
interface Track {
  readonly title: string;
  readonly parts: readonly Part[];
}

type Part = { readonly station: TranslationView['stations'][number]; readonly beneath: readonly WalkHop[] } | { readonly hop: WalkHop };

/** Hops of one table belong together; a shadow walk is a line of its own, beside the guest's. */
function tracksOf({ hops, stations }: TranslationView): readonly Track[] {
  const groups = grouped(hops.filter((hop) => !isShadow(hop)));
  const main: Part[] = [];
  let next = 0;
  /** The next station, with the groups that translate its address beneath it. */
  const reach = (after: number) => {
    const beneath: WalkHop[] = [];
    for (let i = after + 1; i < groups.length && isBeneath(groups[i]); i++) beneath.push(...groups[i]);
    if (next < stations.length) main.push({ station: stations[next++], beneath });
  };
  reach(-1);
  for (const [index, group] of groups.entries()) {
    if (isBeneath(group)) continue;
    main.push(...group.map((hop) => ({ hop })));
    if (group[group.length - 1].to !== null) reach(index);
  }
  const tracks: Track[] = groups.length > 0 ? [{ title: titleOf(groups), parts: main }] : [];
  for (const shadow of grouped(hops.filter(isShadow))) tracks.push({ title: nameOf(shadow[0]), parts: shadowParts(shadow, stations) });
  return tracks;
}

/** Tables from linear addresses that a hypervisor made: L0's, or L1's in its own memory. */
function isShadow({ stage, table }: WalkHop): boolean {
  return stage === 'shadow' || (stage === 'l1' && table !== null && table.startsWith('SPT'));
}

/** `SPT12: Shadow tables, …` */
function nameOf({ stage, table }: WalkHop): string {
  return table === null ? STAGES[stage] : `${table}: ${STAGES[stage]}`;
}

function shadowParts(hops: readonly WalkHop[], stations: TranslationView['stations']): readonly Part[] {
  const end = hops[hops.length - 1].to;
  const reached = stations.find(({ address }) => address === end) ?? (end === null ? null : { space: 'HPA', address: end });
  return [{ station: stations[0], beneath: [] }, ...hops.map((hop) => ({ hop })), ...(reached ? [{ station: reached, beneath: [] }] : [])];
}

function isBeneath(group: readonly WalkHop[]): boolean {
  return BENEATH.has(group[0].stage);
}

function titleOf(groups: readonly (readonly WalkHop[])[]): string {
  const names = new Set<string>();
  for (const [hop] of groups) {
    names.add(nameOf(hop));
    if (hop.via[0]) names.add(nameOf(hop.via[0]));
  }
  return [...names].join(' · ');
}

function grouped(hops: readonly WalkHop[]): readonly (readonly WalkHop[])[] {
  const groups: WalkHop[][] = [];
  for (const hop of hops) {
    const last = groups.at(-1);
    if (last && last[0].stage === hop.stage && last[0].table === hop.table) last.push(hop);
    else groups.push([hop]);
  }
  return groups;
}

function drawTrack({ title, parts }: Track, current: string | null): HTMLElement {
  const items = parts.map((part) => ('hop' in part ? drawHop(part.hop, current) : drawStation(part, current)));
  return el(
    'section',
    { class: 'track', attributes: { 'aria-label': title } },
    el('h4', { text: title }),
    el('ol', { class: 'way' }, ...items),
  );
}

function drawStation({ station, beneath }: Extract<Part, { station: unknown }>, current: string | null): HTMLElement {
  const { space, address } = station;
  const pill = el(
    'div',
    { class: `station ${space.toLowerCase()}` },
    el('span', { class: 'space', text: space }),
    el('span', { class: 'address', text: address }),
  );
  return el('li', { class: 'stop' }, pill, ...drawBeneath(beneath, current));
}

function drawHop(hop: WalkHop, current: string | null): HTMLElement {
  if (hop.stage === 'slot' || hop.stage === 'host') {
    const box = el(
      'div',
      { class: `region ${hop.stage}` },
      el('span', { class: 'label', text: hop.label }),
      hop.note ? el('span', { class: 'note', text: hop.note }) : null,
    );
    return el('li', { class: 'stop' }, box);
  }
  return el('li', { class: 'stop' }, drawTable(hop, current), ...drawBeneath(hop.via, current));
}

/** A paging structure as a column: the entry that is read, with a hint of its neighbours. */
function drawTable(hop: WalkHop, current: string | null): HTMLElement {
  const base = tableBase(hop);
  const head = el('div', { class: 'head' }, el('span', { class: 'label', text: hop.label }));
  if (base) head.append(el('span', { class: 'base', text: base, title: `the table lies at ${hop.atSpace ?? ''} ${base}` }));
  const neighbour = () => el('div', { class: 'neighbour', attributes: { 'aria-hidden': 'true' } });
  const table = el(
    'div',
    { class: `structure ${hop.stage}${isCurrent(hop, current) ? ' current' : ''}${denied(hop) ? ' denied' : ''}` },
    head,
    neighbour(),
    entry(hop),
    neighbour(),
    bits(hop.bits),
    hop.note ? el('div', { class: 'note', text: hop.note }) : null,
  );
  return table;
}

function entry(hop: WalkHop): HTMLElement {
  const at = hop.at === null ? '' : `${hop.atSpace ?? ''} ${hop.at}`.trim();
  return el(
    'div',
    { class: 'read', title: at && `entry at ${at}` },
    el('span', { class: 'index', text: hop.index === null ? '' : String(hop.index) }),
    el('span', { class: 'value', text: hop.value ?? '—' }),
    spoken(at ? `, at ${at}` : ''),
  );
}

/** Second-stage entries as a narrow stack. */
function drawBeneath(hops: readonly WalkHop[], current: string | null): readonly HTMLElement[] {
  return grouped(hops).map((group) => drawStack(group, current));
}

function drawStack(hops: readonly WalkHop[], current: string | null): HTMLElement {
  const rows = hops.map((hop): Child => {
    const set = (hop.bits ?? []).filter((bit) => bit.set || bit.denies);
    const names = set.map((bit) => el('span', { class: bit.denies ? 'denies' : '', text: bit.name, title: bit.about }));
    return el(
      'li',
      { class: `step ${hop.stage}${isCurrent(hop, current) ? ' current' : ''}${denied(hop) ? ' denied' : ''}` },
      el('span', { class: 'label', text: hop.label }),
      el('span', { class: 'index', text: hop.index === null ? '' : String(hop.index) }),
      el('span', { class: 'names' }, ...names),
      el('span', { class: 'value', text: hop.value ?? '—', title: hop.at ? `entry at ${hop.atSpace ?? ''} ${hop.at}` : '' }),
      hop.note ? el('span', { class: 'note', text: hop.note }) : null,
      ...drawBeneath(hop.via, current),
    );
  });
  const title = nameOf(hops[0]);
  return el('ol', { class: 'beneath', attributes: { 'aria-label': title } }, ...rows);
}

function bits(all: readonly EntryBit[] | null): Child {
  if (!all || all.length === 0) return null;
  const chips = all.map(({ name, set, about, denies }) =>
    el(
      'li',
      { class: `bit ${set ? 'set' : 'clear'}${denies ? ' denies' : ''}`, title: about },
      name,
      spoken(denies ? (set ? ' set, denies' : ' clear, denies') : set ? ' set' : ' clear'),
    ),
  );
  return el('ul', { class: 'bits' }, ...chips);
}

function isCurrent(hop: WalkHop, current: string | null): boolean {
  return current !== null && hop.at === current;
}

function denied(hop: WalkHop): boolean {
  return hop.bits?.some(({ denies }) => denies) ?? false;
}

/** Where the table lies: the entry's page. */
function tableBase({ at }: WalkHop): string | null {
  const address = valueOf(at);
  if (address === null) return null;
  return `0x${(address & ~0xfffn).toString(16).replace(/\B(?=([0-9a-f]{4})+$)/g, '_')}`;
}
