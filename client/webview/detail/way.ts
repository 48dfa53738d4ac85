/**
 * The way of an address, drawn: what it comes to, the addresses reached with what leads from one to the next, and each walk of tables as
 * a line, the entry read in each table a column. What translates the address of a table (EPT or NPT) stands beneath that table's column.
 */
import type { EntryBit, Link, Station, TableEntry, TableWalk, TranslationView } from '../../../server/src/protocol/translation';
import { el, spoken } from '../dom';
import type { Child } from '../dom';
import { valueOf } from './numbers';
import { drawVerdict } from './verdict';

/** @param current address of the entry that the step is about; it is marked */
export function drawWay(view: TranslationView, current: string | null): HTMLElement {
  const { now, end, notes, cached } = view;
  const first = now !== null && now.kind === 'exit' && now.what !== end.what ? now : null;
  return el(
    'div',
    { class: 'walk' },
    el(
      'div',
      { class: 'result' },
      drawVerdict(end),
      first && el('span', { class: 'first' }, el('span', { class: 'note', text: 'exits first' }), drawVerdict(first)),
      notes.length > 0 && el('span', { class: 'note', text: notes.join(' · ') }),
      cached &&
        el('span', {
          class: `cached${cached.stale ? ' stale' : ''}`,
          text: [cached.text, cached.stale && `stale: ${cached.stale}`, !cached.serves && 'does not serve this access']
            .filter(Boolean)
            .join(' · '),
        }),
    ),
    drawStrip(view.stations),
    ...view.walks.map((walk) => drawWalk(walk, current)),
  );
}

/** The addresses in a line, each slot and page between the two that it leads from and to. */
function drawStrip(stations: readonly Station[]): HTMLElement {
  const stops = stations.flatMap(({ space, address, links }) => [
    ...links.map((link) => el('li', { class: 'stop' }, drawLink(link))),
    address !== null && el('li', { class: 'stop' }, drawStation(space, address)),
  ]);
  const line = el('ol', { class: 'strip', attributes: { 'aria-label': 'Addresses' } });
  line.append(...stops.filter((each) => each instanceof Node));
  return line;
}

function drawLink({ by, label, note }: Link): HTMLElement {
  return el(
    'div',
    { class: `region ${by}`, title: note ?? '' },
    el('span', { class: 'label', text: label }),
    note ? el('span', { class: 'note', text: note }) : null,
  );
}

function drawStation(space: string, address: string): HTMLElement {
  return el(
    'div',
    { class: `station ${space.toLowerCase()}` },
    el('span', { class: 'space', text: space }),
    el('span', { class: 'address', text: address }),
  );
}

const WHOSE: { readonly [owner in TableWalk['owner']]: string } = { guest: "the guest's", L0: "L0's", L1: "L1's", L2: "L2's" };

/** `PT2, L2's, in hardware` */
function titleOf({ table, owner, by }: TableWalk): string {
  return `${table}, ${WHOSE[owner]}, ${by === 'processor' ? 'in hardware' : `walked by ${by} alone`}`;
}

function drawWalk(walk: TableWalk, current: string | null): HTMLElement {
  const { from, to, entries, then } = walk;
  const second = then ?? entries.find(({ via }) => via !== null)?.via ?? null;
  const title = second ? `${titleOf(walk)} · ${titleOf(second)}` : titleOf(walk);
  return el(
    'section',
    { class: `track ${walk.stage}`, attributes: { 'aria-label': title } },
    el('h4', { text: title }),
    el(
      'ol',
      { class: 'way' },
      el('li', { class: 'stop' }, drawStation(from.space, from.address)),
      ...entries.map((entry) => el('li', { class: 'stop' }, drawTable(walk, entry, current), entry.via && drawStack(entry.via, current))),
      to && el('li', { class: 'stop' }, drawStation(to.space, to.address), then && drawStack(then, current)),
      then?.to && el('li', { class: 'stop' }, drawStation(then.to.space, then.to.address)),
    ),
  );
}

/** A paging structure as a column: the entry that is read, with a hint of its neighbours. */
function drawTable({ stage }: TableWalk, entry: TableEntry, current: string | null): HTMLElement {
  const base = tableBase(entry);
  const head = el('div', { class: 'head' }, el('span', { class: 'label', text: entry.label }));
  if (base) head.append(el('span', { class: 'base', text: base, title: `the table lies at ${entry.space} ${base}` }));
  const neighbour = () => el('div', { class: 'neighbour', attributes: { 'aria-hidden': 'true' } });
  return el(
    'div',
    { class: `structure ${stage} ${marks(entry, current)}` },
    head,
    neighbour(),
    el('div', { class: 'read', title: placeOf(entry) }, number(entry), index(entry), value(entry), spoken(`, ${placeOf(entry)}`)),
    neighbour(),
    bits(entry.bits),
    notes(entry),
  );
}

/** Second-stage entries as a narrow stack. */
function drawStack(walk: TableWalk, current: string | null): HTMLElement {
  const rows = walk.entries.map((entry): Child => {
    const set = entry.bits.filter((bit) => bit.set || bit.denies);
    const names = set.map((bit) => el('span', { class: bit.denies ? 'denies' : '', text: bit.name, title: bit.about }));
    return el(
      'li',
      { class: `step ${walk.stage} ${marks(entry, current)}`, title: placeOf(entry) },
      el('span', { class: 'label' }, number(entry), entry.label),
      index(entry),
      el('span', { class: 'names' }, ...names),
      value(entry),
      notes(entry),
    );
  });
  return el('ol', { class: 'beneath', attributes: { 'aria-label': titleOf(walk) } }, ...rows);
}

/** Classes by what the processor does with an entry, and what it decides. */
function marks({ state, decides, at }: TableEntry, current: string | null): string {
  return [state, decides && `decides ${decides}`, current !== null && at === current && 'current'].filter(Boolean).join(' ');
}

/** The number of the reference. */
function number({ reference }: TableEntry): Child {
  return reference === null
    ? null
    : el('span', { class: 'reference', text: String(reference), title: `entry ${reference} that the processor reads` });
}

function index(entry: TableEntry): HTMLElement {
  return el('span', { class: 'index', text: String(entry.index) });
}

function value({ value: text, was }: TableEntry): HTMLElement {
  return el(
    'span',
    { class: 'value' },
    was && el('del', { text: was, title: 'before' }),
    was && ' ',
    el(was ? 'ins' : 'span', { text: text ?? '—' }),
  );
}

const STATES: { readonly [state in TableEntry['state']]: string } = {
  read: 'read by the processor',
  cached: 'cached: not read',
  unreached: 'not reached',
  software: 'read by software alone',
};

function placeOf({ at, space, state }: TableEntry): string {
  return [at && `entry at ${space} ${at}`, STATES[state]].filter(Boolean).join(', ');
}

function notes({ note }: TableEntry): Child {
  return note ? el('div', { class: 'note', text: note }) : null;
}

function bits(all: readonly EntryBit[]): Child {
  if (all.length === 0) return null;
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

/** Where the table lies: the entry's page. */
function tableBase({ at }: TableEntry): string | null {
  const address = valueOf(at);
  if (address === null) return null;
  return `0x${(address & ~0xfffn).toString(16).replace(/\B(?=([0-9a-f]{4})+$)/g, '_')}`;
}
