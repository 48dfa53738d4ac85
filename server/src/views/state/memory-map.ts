/** Memory slots with what backs them: runs of host pages, page sizes, dirty pages; as values for the strip and as things of the tree. */
import { Space, SPACES } from '../../engine/journal/spaces';
import { hostAreas, hostPageAt, pagesOf } from '../../engine/memory/host-pages';
import type { HostArea } from '../../engine/memory/host-pages';
import { slotsAt } from '../../engine/memory/slot-records';
import type { SlotRecord } from '../../engine/memory/slot-records';
import type { MemoryMap, MemoryPiece, MemorySlotMap } from '../../protocol/state';
import { bytes, hex, joined } from '../../events/wording';
import type { MachineState } from '../machine-state';
import { touches } from './thing';
import type { Thing, Touched, Word } from './thing';

const PAGE = 4096;
const SIZES: readonly MemoryPiece['pageSize'][] = ['4K', '4K', '2M', '1G'];
/** Pieces or runs of a slot that are told, at most. */
const MOST = 400;
const SLOT = SPACES[Space.slot].key;
const DIRTY = SPACES[Space.dirtyLog].key;
const HOST_PAGE = SPACES[Space.hostPage].key;

export function memoryMaps(state: MachineState): MemoryMap[] {
  return state.machine.vms.map(({ name, parent }, vm) => ({
    vm: name,
    spaces: { physical: parent === null ? 'GPA' : 'NGPA', virtual: 'HVA', below: parent === null ? 'HPA' : 'GPA' },
    slots: slotsAt(state.words(Space.slot), vm).map((slot) => slotMap(state, vm, slot)),
  }));
}

function slotName({ id }: SlotRecord): string {
  return id >>> 16 === 0 ? `slot ${id}` : `slot ${id & 0xffff} of SMM`;
}

function slotMap(state: MachineState, vm: number, slot: SlotRecord): MemorySlotMap {
  const pieces = piecesOf(state, vm, slot);
  const dirty = dirtyRuns(state, vm, slot);
  const { gpa, hva, size, readonly, logDirty, invalid } = slot;
  const more = Math.max(0, pieces.length - MOST) + Math.max(0, dirty.length - MOST);
  const shown = { pieces: pieces.slice(0, MOST), dirty: dirty.slice(0, MOST), more };
  return { name: slotName(slot), gpa, hva, size, readonly, logs: logDirty, invalid, ...shown };
}

/** Runs of pages that are backed alike, by their addresses; together they are the whole slot. */
function piecesOf(state: MachineState, vm: number, slot: SlotRecord): MemoryPiece[] {
  const first = Math.floor(slot.hva / PAGE);
  const end = first + slot.size / PAGE;
  const pieces: MemoryPiece[] = [];
  const add = (page: number, pages: number, frame: number | null, level: number, writable: boolean, zero: boolean): void => {
    const piece = {
      gpa: slot.gpa + (page - first) * PAGE,
      size: pages * PAGE,
      hpa: frame === null ? null : frame * PAGE,
      pageSize: SIZES[level],
      writable,
      zero,
    };
    const last = pieces.at(-1);
    const goesOn =
      last !== undefined &&
      last.pageSize === piece.pageSize &&
      last.writable === writable &&
      last.zero === zero &&
      (last.hpa === null ? piece.hpa === null : !zero && piece.hpa === last.hpa + last.size);
    if (goesOn) pieces[pieces.length - 1] = { ...last, size: last.size + piece.size };
    else pieces.push(piece);
  };
  const areas = hostAreas(state.state, vm)
    .filter(({ start, pages }) => start < end && start + pages > first)
    .sort((a, b) => a.start - b.start);
  let at = first;
  for (const area of areas) {
    const from = Math.max(area.start, first);
    const to = Math.min(area.start + area.pages, end);
    if (from > at) add(at, from - at, null, 1, false, false);
    addArea(state, vm, area, from, to, add);
    at = to;
  }
  if (at < end) add(at, end - at, null, 1, false, false);
  return pieces;
}

type Add = (page: number, pages: number, frame: number | null, level: number, writable: boolean, zero: boolean) => void;

function addArea(state: MachineState, vm: number, area: HostArea, from: number, to: number, add: Add): void {
  if (area.frame >= 0) return addPages(area, area.level, from, to, add);
  const touched: number[] = [];
  for (const key of state.words(Space.hostPage).keys()) {
    const { owner, page } = HOST_PAGE.decode(key);
    if (owner === vm && page >= from && page < to) touched.push(page);
  }
  let at = from;
  for (const page of touched.sort((a, b) => a - b)) {
    const found = hostPageAt(state.state, vm, page * PAGE);
    if (!found) continue;
    if (page > at) add(at, page - at, null, area.level, area.writable, false);
    add(page, 1, found.frame, 1, found.writable, found.zero);
    at = page + 1;
  }
  if (at < to) add(at, to - at, null, area.level, area.writable, false);
}

/** Pages [from, to) of an area that is there: blocks of a level where they lie in it whole, smaller ones before and behind (host-pages.ts: levelIn). */
function addPages(area: HostArea, level: number, from: number, to: number, add: Add): void {
  if (from >= to) return;
  const size = pagesOf(level);
  const first = Math.ceil(area.start / size) * size;
  const end = Math.floor((area.start + area.pages) / size) * size;
  if (level > 1 && (first >= end || (area.frame + first - area.start) % size !== 0)) return addPages(area, level - 1, from, to, add);
  if (level > 1) addPages(area, level - 1, from, Math.min(first, to), add);
  const [start, stop] = level > 1 ? [Math.max(first, from), Math.min(end, to)] : [from, to];
  if (start < stop) add(start, stop - start, area.frame + start - area.start, level, area.writable && !area.zero, area.zero);
  if (level > 1) addPages(area, level - 1, Math.max(end, from), to, add);
}

/** Dirty pages of a slot, neighbours together. */
function dirtyRuns(state: MachineState, vm: number, { id, gpa }: SlotRecord): { gpa: number; size: number }[] {
  const words = state.words(Space.dirtyLog);
  const keys = [...words.keys()].filter((key) => ofSlot(key, vm, id)).sort((a, b) => a - b);
  const runs: { gpa: number; size: number }[] = [];
  for (const key of keys) {
    const word = DIRTY.field(key, 'word');
    for (let bit = 0; bit < 64; bit++) {
      const half = bit < 32 ? words.lo(key) : words.hi(key);
      if (((half >>> (bit & 31)) & 1) === 0) continue;
      const at = gpa + (word * 64 + bit) * PAGE;
      const last = runs.at(-1);
      if (last && last.gpa + last.size === at) last.size += PAGE;
      else runs.push({ gpa: at, size: PAGE });
    }
  }
  return runs;
}

function ofSlot(key: number, vm: number, id: number): boolean {
  const at = DIRTY.decode(key);
  return at.vm === vm && at.addressSpace === id >>> 16 && at.slot === (id & 0xffff);
}

export function slotThings(state: MachineState): Thing[] {
  const several = state.machine.vms.length > 1;
  return state.machine.vms.flatMap(({ name }, vm) =>
    slotsAt(state.words(Space.slot), vm).map((slot): Thing => {
      const { id, gpa, size, hva, readonly, logDirty, invalid } = slot;
      const key = SLOT.encode({ vm, id, field: 0 });
      return {
        part: `${vm}.${id}`,
        name: `${several ? `${name} ` : ''}${slotName(slot)}`,
        range: `${hex(gpa)} +${bytes(size)}`,
        value: `hva ${hex(hva)}`,
        decoded: joined(readonly && 'read-only', logDirty && 'logs dirty pages', invalid && 'INVALID'),
        words: [0, 1, 2, 3].map((field) => ({ space: Space.slot, key: key + field })),
        inside: () => [...piecesOf(state, vm, slot).map((piece) => pieceThing(state, vm, slot, piece)), ...dirtyThings(state, vm, slot)],
        touchedBy: (touched) => backingTouched(touched, vm, slot),
      };
    }),
  );
}

function pieceThing(state: MachineState, vm: number, slot: SlotRecord, { gpa, size, hpa, pageSize, writable, zero }: MemoryPiece): Thing {
  const below = state.machine.vms[vm].parent === null ? 'hpa' : 'gpa';
  const page = Math.floor((slot.hva + gpa - slot.gpa) / PAGE);
  const word: Word = { space: Space.hostPage, key: HOST_PAGE.encode({ owner: vm, page }) };
  const single = hpa !== null && size === PAGE && state.words(Space.hostPage).get(word.key) !== 0n;
  return {
    part: `at ${gpa.toString(16)}`,
    name: hpa === null ? 'no page yet' : `${below} ${hex(hpa)}`,
    range: `${hex(gpa)} +${bytes(size)}`,
    value: hpa === null ? undefined : `pages of ${pageSize}`,
    decoded: joined(zero && 'the shared zero page', hpa !== null && !writable && !zero && 'read-only'),
    words: single ? [word] : undefined,
  };
}

function dirtyThings(state: MachineState, vm: number, slot: SlotRecord): Thing[] {
  return dirtyRuns(state, vm, slot).map(({ gpa, size }) => {
    const first = (gpa - slot.gpa) / PAGE;
    const key = DIRTY.encode({ vm, addressSpace: slot.id >>> 16, slot: slot.id & 0xffff, word: Math.floor(first / 64) });
    return {
      part: `dirty ${gpa.toString(16)}`,
      name: 'dirty',
      range: `${hex(gpa)} +${bytes(size)}`,
      words: [{ space: Space.dirtyLog, key }],
    };
  });
}

function backingTouched(touched: Touched, vm: number, { id, hva, size }: SlotRecord): boolean {
  const within = (page: number): boolean => page * PAGE >= hva && page * PAGE < hva + size;
  return (
    touches(touched, Space.dirtyLog, (key) => ofSlot(key, vm, id)) ||
    touches(touched, Space.hostPage, (key) => HOST_PAGE.field(key, 'owner') === vm && within(HOST_PAGE.field(key, 'page'))) ||
    touches(touched, Space.hostArea, (key) => SPACES[Space.hostArea].key.field(key, 'owner') === vm)
  );
}
