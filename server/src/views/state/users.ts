/** Who uses an entry of a paging structure: the processor that reads it, cached translations made of it, tables that shadow it. */
import { Kind } from '../../engine/journal/events';
import { Role, levelOf, quadrantOf } from '../../engine/mmu/pages/role';
import { eventAt, kindAt } from '../../events/fields';
import { bytes, hex, plural } from '../../events/wording';
import type { StateLink } from '../../protocol/state';
import type { MachineState } from '../machine-state';
import type { RunView } from '../view';
import { shadowPages, tableName, tableOfPage } from './shadow-pages';
import type { ShadowPage } from './shadow-pages';
import { standing } from './stale-lines';
import { stepLink } from './step-link';
import { entryThingAt, tableThings } from './table-entries';
import type { EntryPlace, Thing } from './thing';
import { cachedLinesOf, ownerOf, partOfLine } from './tlb';
import type { CachedLine } from './tlb';
import type { Stretch } from './tree';

const PAGE = 4096;
/** Rows looked back over for when an entry was read last. */
const MOST_ROWS = 500_000;
/** Of one kind. */
const MOST = 12;

export function usersOf(view: RunView, state: MachineState, { entry }: Thing, stretch: Stretch): StateLink[] {
  if (!entry) return [];
  return [...readers(view, entry, stretch), ...cachedFrom(state, entry), ...(entry.own ? mirrors(state, entry) : shadowed(state, entry))];
}

/** When the processor reads it: in these rows, and the last time before. */
function readers(view: RunView, { at, stage }: EntryPlace, { from, to }: Stretch): StateLink[] {
  const { record, steps } = view;
  for (let row = to - 1; row >= Math.max(0, to - MOST_ROWS); row--) {
    if (kindAt(record, row) !== Kind.table_read) continue;
    const event = eventAt(record, row);
    if (event?.kind !== Kind.table_read || event.fields.stage !== stage || Number(event.fields.address) !== at) continue;
    return [stepLink(view, steps.stepOfRow(row), row >= from ? 'the processor reads it here: ' : 'the processor read it last: ')];
  }
  return [];
}

/** Lines in force whose address goes through it. */
function cachedFrom(state: MachineState, { hpa, level }: EntryPlace): StateLink[] {
  if (hpa === null) return [];
  const standings = standing(state);
  const found: StateLink[] = [];
  for (const cached of cachedLinesOf(state)) {
    const owner = ownerOf(cached, standings);
    const path = owner?.path(cached.line.page, cached.second, cached.line.rights) ?? [];
    const uses = (each: (typeof path)[number]): boolean =>
      each.hpa === hpa && (cached.kind !== 'structure' || (level >= cached.level && each.second === cached.second));
    if (path.some(uses)) found.push(lineLink(cached));
  }
  const rest = found.length - MOST;
  return rest > 0 ? [...found.slice(0, MOST), { text: `and ${plural(rest, 'more line')}`, step: null, node: 'tlb' }] : found;
}

function lineLink(cached: CachedLine): StateLink {
  const { line, kind, number, processor } = cached;
  const part = partOfLine(cached);
  const size = kind === 'structure' ? '' : ` +${bytes(2 ** [12, 21, 30][line.pageClass])}`;
  return {
    text: `cached: ${part.name}, ${hex(line.page)}${size}`,
    step: null,
    node: `tlb/${processor}.${part.from.toString(16)}/${number}`,
  };
}

/** Entries by which hypervisors shadow a guest's. */
function mirrors(state: MachineState, { at, level, index, vm }: EntryPlace): StateLink[] {
  const gfn = Math.floor(at / PAGE);
  const memory = state.machine.vms[vm].parent === null ? 0 : vm;
  const found: StateLink[] = [];
  for (const page of shadowPages(state)) {
    const { role } = page;
    const ofGuest = page.memory === memory && page.gfn === gfn && levelOf(role) === level && (role & (Role.direct | Role.guestMode)) === 0;
    if (!ofGuest) continue;
    for (const at of indicesIn(page, level, index)) found.push(spteLink(state, page, at));
  }
  return found;
}

/** Indices in a shadow page of a guest entry; none: another quadrant of a 4-byte table has it (mmu.c: role.quadrant). */
function indicesIn({ role }: ShadowPage, level: number, index: number): number[] {
  if ((role & Role.narrow) === 0) return [index];
  const entries = level === 1 ? 512 : 256;
  if (Math.floor(index / entries) !== quadrantOf(role)) return [];
  const at = index % entries;
  return level === 1 ? [at] : [2 * at, 2 * at + 1];
}

function spteLink(state: MachineState, page: ShadowPage, index: number): StateLink {
  const thing = entryThingAt(tableOfPage(state, page), index);
  const unsync = page.unsync ? ', unsync' : '';
  const text = `shadowed by ${tableName(state, page)}[${index}]${unsync}: ${thing ? `${thing.value} ${thing.decoded}` : 'not present'}`;
  return {
    text,
    step: null,
    node: thing ? `shadow/${page.memory}.${page.frame.toString(16)}/${index}` : `shadow/${page.memory}.${page.frame.toString(16)}`,
  };
}

/** What a hypervisor's entry shadows, and the entries that lead to its table. */
function shadowed(state: MachineState, { at, index, vm }: EntryPlace): StateLink[] {
  const frame = Math.floor(at / PAGE);
  const pages = shadowPages(state);
  const memory = pages.some((page) => page.frame === frame && page.memory === 0) ? 0 : vm;
  const own = pages.find((page) => page.frame === frame && page.memory === memory);
  if (!own) return [];
  const found: StateLink[] = [];
  if ((own.role & Role.direct) === 0)
    found.push({
      text: `shadows entry ${index} of the table at gfn ${hex(own.gfn)}`,
      step: null,
      node: `shadow/${memory}.${frame.toString(16)}`,
    });
  for (const page of pages) {
    if (page.memory !== memory || levelOf(page.role) !== levelOf(own.role) + 1) continue;
    for (const thing of tableThings(tableOfPage(state, page))) {
      if (!thing.inside || !thing.value || frameIn(thing.value) !== frame) continue;
      const node = `shadow/${memory}.${page.frame.toString(16)}/${thing.part}`;
      found.push({ text: `its table hangs on ${tableName(state, page)}[${thing.part}]`, step: null, node });
    }
  }
  return found.slice(0, MOST);
}

const frameIn = (value: string): number => Number((BigInt(value.replaceAll('_', '')) >> 12n) & 0xff_ffff_ffffn);
