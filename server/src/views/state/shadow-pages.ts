/** What hypervisors keep of their tables: shadow pages with their roles, roots, reverse maps, tracked frames. */
import { STAGE_SECOND, STAGE_SHADOW } from '../../engine/journal/events';
import { Space, SPACES } from '../../engine/journal/spaces';
import { Role, levelOf } from '../../engine/mmu/pages/role';
import { framesAt, shadowPageAt } from '../../engine/mmu/pages/shadow-page';
import type { ShadowPageRecord } from '../../engine/mmu/pages/shadow-page';
import { pagingFormat } from '../../engine/x86/formats';
import type { Format } from '../../engine/x86/formats';
import { spteFormat } from '../../events/entry-text';
import { nested } from '../../events/guests';
import { decodeRole, roleWords } from '../../events/page-role';
import { hex, joined, plural } from '../../events/wording';
import { tablesOf } from '../change-memory';
import type { MachineState } from '../machine-state';
import { secondFormat } from '../way/hardware';
import { labelOf } from '../way/tables';
import { entryThingAt, leavesOf, tableThings, touchedBelow } from './table-entries';
import type { MappingLeaf, Table } from './table-entries';
import { touches } from './thing';
import type { Thing, Touched } from './thing';

const KEY = SPACES[Space.shadowPage].key;
const TRACK = SPACES[Space.track].key;
const PAGE = 4096;

export interface ShadowPage extends ShadowPageRecord {
  /** Whose memory its table is in: 0 the host's, else that of the hypervisor around this VM. */
  readonly memory: number;
}

/** All shadow pages: roots first, then by level and guest frame. */
export function shadowPages(state: MachineState): ShadowPage[] {
  const words = state.words(Space.shadowPage);
  const pages: ShadowPage[] = [];
  for (const key of words.keys()) {
    const { memory, frame, field } = KEY.decode(key);
    const page = field === 0 ? shadowPageAt(words, frame, memory) : null;
    if (page) pages.push({ memory, ...page });
  }
  return pages.sort((a, b) => a.memory - b.memory || levelOf(b.role) - levelOf(a.role) || a.gfn - b.gfn || a.frame - b.frame);
}

/** The table of a shadow page, to be read. */
export function tableOfPage(state: MachineState, { memory, frame, gfn, role }: ShadowPage): Table {
  const { ept, table } = tablesOf(state, memory, role);
  const direct = (role & Role.direct) !== 0;
  const second = ept || state.host.vendor === 'amd' ? table.startsWith('EPT') || table.startsWith('NPT') : false;
  const inGuest = memory > 0;
  const { parent } = state.machine.vms[memory] ?? { parent: null };
  return {
    state,
    tables: { sptes: spteFormat(state.host, ept), space: inGuest ? 'gpa' : 'hpa', to: inGuest ? 'GPA' : 'HPA' },
    format: second ? secondFormat(state, ept ? 3 << 3 : 0) : shadowFormat(state),
    stage: second ? STAGE_SECOND : STAGE_SHADOW,
    vm: memory,
    own: false,
    level: levelOf(role),
    address: frame * PAGE,
    base: direct ? BigInt(gfn) * BigInt(PAGE) : null,
    pdptes: null,
    hpaOf: (address) => (inGuest && parent !== null ? state.hpaOf(parent, address) : address),
  };
}

function shadowFormat({ host: { features, maxPhyAddr, vendor } }: MachineState): Format {
  const options = { nxe: features.nx, pse: true, pse36: features.pse36, page1G: features.page1G, maxPhyAddr, amd: vendor === 'amd' };
  return pagingFormat({ mode: features.la57 ? '5-level' : '4-level', ...options });
}

/** `EPT1`, `SPT PT`; where a VM stands in a VM `EPT02 EPT1`, `SPT12 PT`. */
export function tableName(state: MachineState, page: ShadowPage): string {
  const { table } = tablesOf(state, page.memory, page.role);
  const label = labelOf(tableOfPage(state, page).format, levelOf(page.role));
  return label.startsWith(table) ? label : `${table === 'shadow' ? 'SPT' : table} ${label}`;
}

export function shadowPageThings(state: MachineState): Thing[] {
  return shadowPages(state).map((page) => pageThing(state, page));
}

function pageThing(state: MachineState, page: ShadowPage): Thing {
  const { memory, frame, gfn, role, unsync, rootCount, flooding } = page;
  const key = KEY.encode({ memory, frame, field: 0 });
  const table = tableOfPage(state, page);
  return {
    part: `${memory}.${frame.toString(16)}`,
    name: tableName(state, page),
    range: `gfn ${hex(gfn)}`,
    value: `${memory > 0 ? 'gpa' : 'hpa'} ${hex(frame * PAGE)}`,
    decoded: joined(
      ...roleWords(decodeRole(role)),
      unsync && 'unsync',
      rootCount > 0 && `root_count ${rootCount}`,
      flooding > 0 && `write_flooding_count ${flooding}`,
    ),
    words: [0, 1, 2].map((field) => ({ space: Space.shadowPage, key: key + field })),
    inside: () => tableThings(table),
    touchedBy: (touched) => touchedBelow({ ...table, level: 1 }, touched),
  };
}

/** `12 pages, 2 unsync`. */
export function shadowPagesText(state: MachineState): string {
  const pages = shadowPages(state);
  const unsync = pages.filter((page) => page.unsync).length;
  return joined(plural(pages.length, 'page'), unsync > 0 && `${unsync} unsync`);
}

/** Pages that are roots: those in hardware, and those that KVM keeps for a switch back (`prev_roots`). */
export function rootThings(state: MachineState, inHardware: ReadonlySet<number>): Thing[] {
  return shadowPages(state)
    .filter(({ rootCount }) => rootCount > 0)
    .map((page) => ({
      ...pageThing(state, page),
      note: page.memory > 0 ? undefined : inHardware.has(page.frame) ? 'in hardware' : 'kept: a previous root',
    }));
}

/** A leaf spte of the host's. */
interface LeafSpte extends MappingLeaf {
  readonly page: ShadowPage;
}

/** Leaf sptes of the host by `vm gfn`: what KVM's reverse maps say (struct kvm_rmap_head), and of the TDP MMU its tables. */
export function leavesByFrame(state: MachineState): Map<string, LeafSpte[]> {
  const found = new Map<string, LeafSpte[]>();
  const frameOf = frames(state);
  for (const page of shadowPages(state)) {
    if (page.memory > 0) continue;
    for (const leaf of leavesOf(tableOfPage(state, page))) {
      const name = frameOf(page, leaf);
      if (name === null) continue;
      const list = found.get(name);
      if (list) list.push({ page, ...leaf });
      else found.set(name, [{ page, ...leaf }]);
    }
  }
  return found;
}

/**
 * `vm gfn` of what a leaf maps; null: of no slot. Of an indirect page the frame is found by the host page behind it, as the journal has no
 * other (shadowed_translation).
 */
function frames(state: MachineState): (page: ShadowPage, leaf: MappingLeaf) => string | null {
  const outer = state.machine.vms.flatMap(({ parent }, vm) => (parent === null ? [vm] : []));
  return ({ role, gfn }, { index, to }) => {
    const direct = (role & (Role.direct | Role.guestMode)) === (Role.direct as number);
    const own = gfn + index * framesAt(levelOf(role));
    if (direct && outer.length === 1) return `${outer[0]} ${own}`;
    const place = state.gpaOf(to);
    return place && `${place.vm} ${direct ? own : place.gpa / PAGE}`;
  };
}

export function rmapThings(state: MachineState): Thing[] {
  const several = state.machine.vms.filter(({ parent }) => parent === null).length > 1;
  const names = new Map<ShadowPage, string>();
  const nameOf = (page: ShadowPage): string => {
    const name = names.get(page) ?? tableName(state, page);
    names.set(page, name);
    return name;
  };
  return [...leavesByFrame(state)]
    .map(([name, leaves]) => ({ vm: Number(name.split(' ')[0]), gfn: Number(name.split(' ')[1]), leaves }))
    .sort((a, b) => a.vm - b.vm || a.gfn - b.gfn)
    .map(({ vm, gfn, leaves }) => {
      const sptes = leaves.map(({ page, index }) => `${nameOf(page)}[${index}]`);
      return {
        part: `${vm}.${gfn.toString(16)}`,
        name: `gfn ${hex(gfn)}`,
        range: several ? state.machine.vms[vm].name : undefined,
        value: plural(leaves.length, 'spte'),
        decoded: sptes.join(', '),
        inside: () =>
          leaves.flatMap(({ page, index, hpa }, i) => {
            const thing = entryThingAt(tableOfPage(state, page), index);
            return thing ? [{ ...thing, part: hpa.toString(16), name: sptes[i], fold: undefined }] : [];
          }),
        touchedBy: (touched) => leaves.some(({ hpa }) => touched.get(Space.memory)?.has(hpa) ?? false),
      } satisfies Thing;
    });
}

/** A step touched an entry of one of the host's tables. */
export function sptesTouched(state: MachineState, touched: Touched): boolean {
  return touches(touched, Space.memory, (key) => shadowPageAt(state.words(Space.shadowPage), Math.floor(key / PAGE)) !== null);
}

/** Frames whose writes are tracked, as a guest's tables are there (kvm_page_track). */
export function trackThings(state: MachineState): Thing[] {
  const words = state.words(Space.track);
  return [...words.keys()]
    .sort((a, b) => a - b)
    .map((key) => {
      const { vm, gfn } = TRACK.decode(key);
      return {
        part: key.toString(16),
        name: `gfn ${hex(gfn)}`,
        range: nested(state.machine) ? state.machine.vms[vm].name : undefined,
        value: plural(words.lo(key), 'page asks', 'pages ask'),
        words: [{ space: Space.track, key }],
      };
    });
}
