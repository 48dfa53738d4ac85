/**
 * A guest's own tables as its kernel knows them: which linear address maps a frame, and which entry maps an address. Looks at
 * memory and changes nothing.
 */
import { join, low, high } from '../../bits';
import { ACCESS_READ, STAGE_GUEST } from '../../journal/events';
import type { PhysicalMemory } from '../../memory/physical-memory';
import { FRAME_HIGH, FRAME_LOW, Pte } from '../../x86/entries';
import { LEAF, type Format } from '../../x86/formats';
import { Walking, type Stage } from '../../x86/stage';
import { Walker } from '../../x86/walker';

export interface Found {
  readonly level: number;
  readonly at: number;
  readonly value: bigint;
}

/** The entry on the way of an address, by a silent walk; level 0: the last one of the way. */
export function findEntry(
  memory: PhysicalMemory,
  format: Format,
  root: number,
  stage: Stage | null,
  lo: number,
  hi: number,
  level: number,
): Found | null {
  const walker = new Walker(memory, format, STAGE_GUEST, stage);
  walker.walking = Walking.silent;
  walker.use(format, low(root), high(root));
  walker.translate(lo, hi, ACCESS_READ);
  const wanted = level === 0 ? walker.level : level;
  if (wanted < walker.level || wanted > walker.firstLevel || walker.entryHost(wanted) < 0) return null;
  const value = (BigInt(walker.entryHi(wanted) >>> 0) << 32n) | BigInt(walker.entryLo(wanted) >>> 0);
  return { level: wanted, at: walker.entryAddress(wanted), value };
}

/** A linear address as halves. */
export interface Linear {
  readonly lo: number;
  readonly hi: number;
}

/** A table of the highest level, and the linear address that its first entry maps. */
export interface Root {
  readonly table: number;
  readonly base: Linear;
}

interface Search {
  readonly memory: PhysicalMemory;
  /** Host-physical address of a guest-physical one; -1: none. */
  readonly look: (gpa: number) => number;
  readonly format: Format;
  readonly gfn: number;
  readonly writeProtect: boolean;
  /** Tables seen, by level: what they map was looked at. */
  readonly seen: Set<number>;
  /** Told of each table that is searched; `host` -1: it is not there. */
  readonly searched: (gpa: number, host: number, level: number) => void;
  /** The first user page that would do. */
  userPage: Linear | null;
}

/**
 * A linear address through which a guest's supervisor can write a frame under these tables; null: none. Supervisor pages are
 * preferred.
 *
 * @param look host-physical address of a guest-physical one; -1: none
 * @param writeProtect CR0.WP
 * @param roots tables of the highest level: one, or the four of PAE
 */
export function windowOn(
  memory: PhysicalMemory,
  look: (gpa: number) => number,
  format: Format,
  roots: readonly Root[],
  gpa: number,
  writeProtect: boolean,
  searched: Search['searched'] = () => undefined,
): Linear | null {
  const gfn = Math.floor(gpa / 4096);
  const search: Search = { memory, look, format, gfn, writeProtect, seen: new Set<number>(), searched, userPage: null };
  let found: Linear | null = null;
  for (const { table, base } of roots) found ??= searchTable(search, table, format.levels, base, false);
  found ??= search.userPage;
  return found && { lo: found.lo | (gpa & 0xfff), hi: found.hi };
}

function searchTable(search: Search, table: number, level: number, base: Linear, userAbove: boolean): Linear | null {
  const { memory, look, format, gfn, writeProtect, seen } = search;
  const key = Math.floor(table / 4096) * 16 + level * 2 + (userAbove ? 1 : 0);
  if (seen.has(key)) return null;
  seen.add(key);
  const entries = format.narrow ? 1024 : 512;
  const size = format.narrow ? 4 : 8;
  const from = look(table);
  search.searched(table, from, level);
  if (from < 0) return null;
  for (let index = 0; index < entries; index++) {
    const host = from + index * size;
    const upper = format.narrow && host % 8 === 4;
    const lo = upper ? memory.high(host - 4) : memory.low(host);
    const hi = format.narrow ? 0 : memory.high(host);
    if ((lo & format.present) === 0 || (writeProtect && (lo & Pte.writable) === 0)) continue;
    const leaf = (lo & format.large[level]) !== 0;
    const mask = leaf ? level + LEAF : level;
    if ((lo & format.reservedLo[mask]) !== 0 || (hi & format.reservedHi[mask]) !== 0) continue;
    const linear = extended(format, base, index, level);
    // User pages are those that every entry of the way calls so.
    const user = (userAbove || level === format.levels) && (lo & Pte.user) !== 0;
    if (!leaf) {
      const found = searchTable(search, join(lo & FRAME_LOW, hi & FRAME_HIGH), level - 1, linear, user);
      if (found !== null) return found;
      continue;
    }
    const pages = level === 1 ? 1 : format.narrow ? 1024 : 512 ** (level - 1);
    const frame = format.narrow
      ? (lo >>> 12) + (level === 2 ? ((lo >>> 13) & 0xff) * 0x10_0000 : 0)
      : join(lo & FRAME_LOW, hi & FRAME_HIGH) / 4096;
    const first = frame - (frame % pages);
    if (gfn < first || gfn >= first + pages) continue;
    const page = plus(linear, (gfn - first) * 4096);
    if (!user) return page;
    search.userPage ??= page;
  }
  return null;
}

/** A linear address with the index of a level in it; the highest level's sign goes into what is above. */
function extended(format: Format, base: Linear, index: number, level: number): Linear {
  if (format.narrow) return { lo: base.lo | (index << (level === 2 ? 22 : 12)), hi: 0 };
  const shift = 3 + 9 * level;
  let lo = base.lo;
  let hi = base.hi;
  if (shift < 32) {
    lo |= index << shift;
    hi |= index >>> (32 - shift);
  } else hi |= index << (shift - 32);
  if (level === format.levels && level >= 4 && (index & 256) !== 0) hi |= -1 << (level === 4 ? 16 : 25);
  return { lo, hi };
}

function plus({ lo, hi }: Linear, offset: number): Linear {
  const sum = (lo >>> 0) + offset;
  return { lo: sum | 0, hi: sum >= 0x1_0000_0000 ? (hi + 1) | 0 : hi };
}
