/** Entries of a walk for the eye: what the tables say, with what of it the processor reads, and what decides. */
import { toBigInt } from '../../engine/bits';
import type { Format } from '../../engine/x86/formats';
import { Walk } from '../../engine/x86/stage';
import type { Walker } from '../../engine/x86/walker';
import { shiftOf } from '../../engine/x86/walker-state';
import { entryBits, entryKind, spteBits, spteNote } from '../../events/entry-text';
import { bytes, hex } from '../../events/wording';
import type { TableEntry, TableWalk, VerdictKind } from '../../protocol/translation';
import type { WalkMade } from './references';
import { labelOf } from './tables';
import type { Tables } from './tables';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
export type Entry = Omit<Mutable<TableEntry>, 'via'> & { via: WalkOf | null };
/** A walk that is being put together. */
export type WalkOf = Omit<Mutable<TableWalk>, 'entries' | 'then'> & {
  entries: Entry[];
  then: WalkOf | null;
  /** Address that the walk leads to; null: it does not. */
  reached: number | null;
};

interface WalkOptions {
  readonly tables: Tables;
  /** What goes in. */
  readonly address: bigint;
  /** What the processor made of it; null: it does not walk here, or did not come so far. */
  readonly made: WalkMade | null;
  /** The processor got through: what it did not read was cached. */
  readonly passed: boolean;
}

/**
 * A walk as a walker, which has just walked it silently, has it; entries that the processor read are what it read.
 *
 * @param walker over the tables in memory
 */
export function walkOf(walker: Walker, { tables, address, made, passed }: WalkOptions): WalkOf {
  const { format } = walker;
  const entries: Entry[] = [];
  const lowest = Math.min(walker.level, made?.lowest ?? walker.level);
  let reached: number | null = null;
  for (let level = walker.firstLevel; level >= lowest; level--) {
    const read = made?.reads.get(level);
    const inMemory = level >= walker.level;
    if (!read && !inMemory) continue;
    const at = read?.at ?? walker.entryAddress(level);
    const missing = !read && walker.unreadable(level);
    const value = read?.value ?? toBigInt(walker.entryLo(level), walker.entryHi(level));
    const leaf = !missing && isLeaf(format, level, value);
    const ends = level === lowest;
    const good = ends && level === walker.level ? walker.status === Walk.ok || walker.status === Walk.denied : isPresent(format, value);
    const to = missing || !good || (ends && !leaf) ? null : leaf ? leafTarget(format, level, value, address) : tableTarget(value);
    if (ends && leaf) reached = to;
    const register = format.pae && level === 3 && walker.pdptes !== null;
    entries.push({
      label: labelOf(format, level),
      level,
      index: indexOf(format, level, at),
      at: register ? null : hex(at),
      space: register ? null : tables.space,
      value: missing ? null : hex(value),
      was: null,
      bits: missing ? [] : [...entryBits(entryKind(format), level, value), ...(tables.sptes ? spteBits(tables.sptes, level, value) : [])],
      to: to === null ? null : hex(to),
      note: noteOf(walker, tables, level, value, missing, leaf && good, register),
      reference: read?.number ?? null,
      state:
        tables.by === null
          ? 'idle'
          : tables.by !== 'processor'
            ? 'software'
            : read
              ? 'read'
              : passed || made?.spared(level)
                ? 'cached'
                : 'unreached',
      decides: null,
      via: null,
    });
  }
  const from = { space: tables.from, address: hex(address) };
  const to = reached === null ? null : { space: tables.to, address: hex(reached) };
  return { table: tables.table, stage: tables.stage, owner: tables.owner, by: tables.by, from, to, entries, then: null, reached };
}

/** Marks the entry of a level as what decides, and the bit. @param bit its number; null: all that would make it present */
export function markDeciding(walk: WalkOf, level: number, bit: number | null, kind: VerdictKind): void {
  const entry = walk.entries.find((each) => each.level === level);
  if (!entry) return;
  entry.decides = kind;
  const named = bit === null ? ['R', 'W', 'X'] : [];
  const denying = entry.bits.map((each) =>
    named.includes(each.name) || (bit !== null && each.bit === bit) ? { ...each, denies: true } : each,
  );
  const unnamed = bit !== null && !denying.some(({ denies }) => denies);
  entry.bits = unnamed ? [...denying, { name: `bit ${bit}`, bit, set: true, about: 'reserved: it must be 0', denies: true }] : denying;
}

/** Index of an entry in its table, by its address. */
export function indexOf(format: Format, level: number, address: number): number {
  if (format.pae && level === 3) return (address / 8) & 3;
  return format.narrow ? (address % 4096) >>> 2 : (address % 4096) >>> 3;
}

export function isPresent({ present }: Format, value: bigint): boolean {
  return (value & BigInt(present >>> 0)) !== 0n;
}

export function isLeaf(format: Format, level: number, value: bigint): boolean {
  return level === 1 || (format.large[level] !== 0 && (value & BigInt(format.large[level] >>> 0)) !== 0n);
}

export function tableTarget(value: bigint): number {
  return Number(value & 0x000f_ffff_ffff_f000n);
}

/** The byte that a leaf gives for an address. */
export function leafTarget(format: Format, level: number, value: bigint, address: bigint): number {
  const offset = (1n << BigInt(shiftOf(format, level))) - 1n;
  const frame = format.narrow && level === 2 ? (value & 0xffc0_0000n) | (((value >> 13n) & 0xffn) << 32n) : value & 0x000f_ffff_ffff_f000n;
  return Number((frame & ~offset) | (address & offset));
}

/** What there is to say of an entry besides its bits. */
function noteOf(
  walker: Walker,
  { sptes }: Tables,
  level: number,
  value: bigint,
  missing: boolean,
  maps: boolean,
  register: boolean,
): string | null {
  const { format } = walker;
  const notes = [
    register && 'a PDPTE register',
    missing && 'no memory is there',
    sptes && spteNote(sptes, value),
    !missing && !isPresent(format, value) && 'not present',
    maps && level > 1 && `maps a page of ${bytes(2 ** shiftOf(format, level))}`,
  ].filter(Boolean);
  return notes.length > 0 ? notes.join('; ') : null;
}
