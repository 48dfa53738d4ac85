/** Entries of paging structures of every format as things of the state: decoded, with the tables that they lead to inside. */
import { Space } from '../../engine/journal/spaces';
import type { Format } from '../../engine/x86/formats';
import { shiftOf } from '../../engine/x86/walker-state';
import { bitNames, entryBits, entryKind, spteBits, spteNote } from '../../events/entry-text';
import { bytes, hex } from '../../events/wording';
import type { MachineState } from '../machine-state';
import { isLeaf, isPresent, leafTarget, tableTarget } from '../way/entries';
import { labelOf } from '../way/tables';
import type { Tables } from '../way/tables';
import type { Fold, Thing, Touched, Word } from './thing';

const PAGE = 4096;
/** Tables that are looked through for what a step touched in them. */
const MOST_TABLES = 2048;

/** A table of some level, with what is needed to read it and those below. */
export interface Table {
  readonly state: MachineState;
  readonly tables: Pick<Tables, 'sptes' | 'space' | 'to'>;
  readonly format: Format;
  /** STAGE_* of their entries in table_read rows. */
  readonly stage: number;
  readonly vm: number;
  /** The guest's own. */
  readonly own: boolean;
  readonly level: number;
  /** In the space of the tables. */
  readonly address: number;
  /** First address that it translates; null: it translates wherever it hangs, as a shadow page seen by itself. */
  readonly base: bigint | null;
  /** PAE: PDPTE registers, low half before high, and their words; null: in memory. */
  readonly pdptes: { readonly halves: Int32Array; readonly words: readonly Word[] } | null;
  /** Host-physical address of one of the space; null: no memory is there. */
  hpaOf(address: number): number | null;
}

/** Bits of the linear or guest-physical address below an entry of a level. */
function entryShift(format: Format, level: number): number {
  if (format.narrow) return level === 1 ? 12 : 22;
  return 3 + 9 * level;
}

interface Entry {
  readonly index: number;
  readonly lo: number;
  readonly hi: number;
  /** In the space of the tables. */
  readonly at: number;
  /** Null: a register. */
  readonly hpa: number | null;
  readonly word: Word;
}

/** Entries that are not zero. */
function* entriesOf(table: Table): Generator<Entry> {
  const { state, format, level, address, pdptes } = table;
  if (format.pae && level === 3 && pdptes) {
    for (let index = 0; index < 4; index++) {
      const [lo, hi] = [pdptes.halves[2 * index], pdptes.halves[2 * index + 1]];
      if ((lo | hi) !== 0) yield { index, lo, hi, at: address + 8 * index, hpa: null, word: pdptes.words[index] };
    }
    return;
  }
  const hpa = table.hpaOf(address);
  if (hpa === null) return;
  const words = state.words(Space.memory);
  const count = format.pae && level === 3 ? 4 : 512;
  for (let at = 0; at < count; at++) {
    const key = hpa + 8 * at;
    const [lo, hi] = [words.lo(key), words.hi(key)];
    if ((lo | hi) === 0) continue;
    const place = address + 8 * at;
    if (!format.narrow) yield { index: at, lo, hi, at: place, hpa: key, word: { space: Space.memory, key } };
    else {
      if (lo !== 0) yield { index: 2 * at, lo, hi: 0, at: place, hpa: key, word: { space: Space.memory, key, half: 'lo' } };
      if (hi !== 0) yield { index: 2 * at + 1, lo: hi, hi: 0, at: place + 4, hpa: key + 4, word: { space: Space.memory, key, half: 'hi' } };
    }
  }
}

const valueOf = ({ lo, hi }: Entry): bigint => (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);

/** The table that an entry leads to; null: it leads to none. */
function below(table: Table, entry: Entry): Table | null {
  const { format, level } = table;
  const value = valueOf(entry);
  if (level === 1 || !isPresent(format, value) || isLeaf(format, level, value)) return null;
  return { ...table, level: level - 1, address: tableTarget(value), base: baseOf(table, entry.index), pdptes: null };
}

function baseOf({ format, level, base }: Table, index: number): bigint | null {
  return base === null ? null : base + (BigInt(index) << BigInt(entryShift(format, level)));
}

/** Things for the entries that are not zero. */
export function tableThings(table: Table): Thing[] {
  return [...entriesOf(table)].map((entry) => entryThing(table, entry));
}

/** A leaf that maps a page: where it stands, and where it leads. */
export interface MappingLeaf {
  readonly index: number;
  readonly hpa: number;
  readonly to: number;
}

/** Leaves of a table in the host's memory; none of those that stand for MMIO. */
export function* leavesOf(table: Table): Generator<MappingLeaf> {
  const { format, level, tables } = table;
  for (const entry of entriesOf(table)) {
    const value = valueOf(entry);
    if (entry.hpa === null || !isPresent(format, value) || !isLeaf(format, level, value)) continue;
    if (tables.sptes?.isMmio(entry.lo, entry.hi)) continue;
    yield { index: entry.index, hpa: entry.hpa, to: leafTarget(format, level, value, 0n) };
  }
}

/** The thing of one entry; null: it is 0. */
export function entryThingAt(table: Table, index: number): Thing | null {
  for (const entry of entriesOf(table)) if (entry.index === index) return entryThing(table, entry);
  return null;
}

/** Canonical form of a linear address; others are as they are. */
function addressText({ format, own }: Table, address: bigint): string {
  const bits = format.levels === 5 ? 57 : 48;
  return hex(own && format.levels >= 4 ? BigInt.asUintN(64, BigInt.asIntN(bits, address)) : address);
}

function entryThing(table: Table, entry: Entry): Thing {
  const { format, level, tables, vm, own, stage } = table;
  const value = valueOf(entry);
  const label = labelOf(format, level);
  const next = below(table, entry);
  const present = isPresent(format, value);
  const leaf = present && isLeaf(format, level, value);
  const base = baseOf(table, entry.index);
  const kind = entryKind(format);
  const bits = [...entryBits(kind, level, value), ...(tables.sptes ? spteBits(tables.sptes, level, value) : [])];
  const special = tables.sptes && spteNote(tables.sptes, value);
  const names = special || !present ? '' : bitNames(bits);
  const to = leaf ? leafTarget(format, level, value, base ?? 0n) : null;
  const target = next
    ? `→ ${labelOf(format, level - 1)} at ${tables.space} ${hex(next.address)}`
    : to !== null
      ? `→ ${tables.to.toLowerCase()} ${hex(to)}`
      : '';
  const size = 2 ** entryShift(format, level);
  const rangeOf = (length: number): string | undefined => (base === null ? undefined : `${addressText(table, base)} +${bytes(length)}`);
  return {
    part: String(entry.index),
    name: `${label}[${entry.index}]`,
    range: rangeOf(size),
    value: hex(value),
    decoded: [special ?? (present ? names : 'not present'), target].filter(Boolean).join(' '),
    words: [entry.word],
    entry: { hpa: entry.hpa, at: entry.at, stage, level, index: entry.index, vm, own },
    ...(next && {
      inside: () => tableThings(next),
      touchedBy: (touched: Touched) => touchedBelow(next, touched),
    }),
    ...(!next && {
      fold: foldOf({
        at: entry.index,
        says: special || !present || to === null ? hex(value) : flagsOf(value, to),
        to,
        pageBytes: to === null ? 0 : 2 ** shiftOf(format, level),
        through: (last, count) => ({
          name: `${label}[${entry.index}…${entry.index + count - 1}]`,
          range: rangeOf(size * count),
          value: last.value === hex(value) ? hex(value) : `${hex(value)} … ${last.value}`,
          decoded: to === null ? (special ?? 'not present') : `${names} → ${tables.to.toLowerCase()} ${hex(to)} +${bytes(size * count)}`,
        }),
      }),
    }),
  };
}

/** What an entry says besides the page that it leads to. */
function flagsOf(value: bigint, to: number): string {
  return hex(value & ~BigInt(to));
}

function foldOf(of: {
  readonly at: number;
  readonly says: string;
  /** Address that a leaf leads to. */
  readonly to: number | null;
  readonly pageBytes: number;
  through(last: Thing, count: number): Pick<Thing, 'name' | 'range' | 'value' | 'decoded'>;
}): Fold {
  const { at, says, to, pageBytes } = of;
  return {
    at,
    self: to === null ? says : `${says} ${to}`,
    next: to === null ? says : `${says} ${to + pageBytes}`,
    through: (last) => of.through(last, last.fold!.at - at + 1),
  };
}

/** A step touched an entry of the table, or of one below. Looks through so many tables at most. */
export function touchedBelow(table: Table, touched: Touched): boolean {
  const memory = touched.get(Space.memory);
  if (!memory || memory.size === 0) return false;
  const frames = new Set([...memory].map((key) => Math.floor(key / PAGE)));
  const seen = new Set<string>();
  const waiting: Table[] = [table];
  for (let next = waiting.pop(); next && seen.size < MOST_TABLES; next = waiting.pop()) {
    const hpa = next.hpaOf(next.address);
    if (hpa !== null && frames.has(Math.floor(hpa / PAGE))) return true;
    const name = `${next.level} ${next.address}`;
    if (next.level === 1 || seen.has(name)) continue;
    seen.add(name);
    for (const entry of entriesOf(next)) {
      const under = below(next, entry);
      if (under) waiting.push(under);
    }
  }
  return false;
}
