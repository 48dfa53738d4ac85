/**
 * Bits of paging-structure entries (§2.3, §3.2): SDM vol. 3 "Paging" and "EPT translation mechanism", APM vol. 2 "Page
 * translation". The only place that knows a bit's position. Bits 31:0 of an entry are its low half, 63:32 its high half.
 */

/** Ordinary paging entries (guest tables of every mode, nested tables of AMD, shadow tables); low half. */
export enum Pte {
  present = 1 << 0,
  writable = 1 << 1,
  user = 1 << 2,
  writeThrough = 1 << 3,
  cacheDisable = 1 << 4,
  accessed = 1 << 5,
  dirty = 1 << 6,
  /** Maps a page, at a level that can (levels 2 and 3); PAT at level 1. */
  large = 1 << 7,
  global = 1 << 8,
  /** PAT of a large page. */
  largePat = 1 << 12,
}

/** Bit 63 (XD, NX) in the high half. */
export const NX_HIGH = 1 << 31;

/** EPT entries; low half. */
export enum Ept {
  read = 1 << 0,
  write = 1 << 1,
  execute = 1 << 2,
  ignorePat = 1 << 6,
  large = 1 << 7,
  accessed = 1 << 8,
  dirty = 1 << 9,
  /** Bits 5:3 of a leaf. */
  memoryType = 7 << 3,
}

/** Page-frame address bits 31:12 of the low half. */
export const FRAME_LOW = 0xfffff000 | 0;
/** Address bits 51:32 in the high half. */
export const FRAME_HIGH = 0x000fffff;

/** Protection key of a leaf: bits 62:59. */
export function keyOf(high: number): number {
  return (high >>> 27) & 15;
}

/** Name and bits of one field of an entry, for people. */
export interface EntryField {
  /** Short name as manuals have it: `P`, `R/W`, `XD`, `R`, … */
  readonly name: string;
  readonly bits: bigint;
  readonly about: string;
}

const bit = (n: number): bigint => 1n << BigInt(n);
const field = (name: string, bits: bigint, about: string): EntryField => ({ name, bits, about });

const PAGING_FIELDS: readonly EntryField[] = [
  field('P', bit(0), 'present'),
  field('R/W', bit(1), 'writes allowed'),
  field('U/S', bit(2), 'user accesses allowed'),
  field('PWT', bit(3), 'write-through'),
  field('PCD', bit(4), 'cache disable'),
  field('A', bit(5), 'accessed'),
];
const DIRTY = field('D', bit(6), 'dirty');
const LARGE = field('PS', bit(7), 'maps a large page');
const GLOBAL = field('G', bit(8), 'global');
const EXECUTE_DISABLE = field('XD', bit(63), 'instruction fetches denied');
const KEY = field('PKEY', 15n << 59n, 'protection key');

const EPT_RIGHTS: readonly EntryField[] = [
  field('R', bit(0), 'reads allowed'),
  field('W', bit(1), 'writes allowed'),
  field('X', bit(2), 'instruction fetches allowed'),
];
const EPT_ACCESSED = field('A', bit(8), 'accessed (A/D enabled)');
const EPT_LEAF: readonly EntryField[] = [
  field('MT', 7n << 3n, 'memory type'),
  field('IPAT', bit(6), 'guest PAT ignored'),
  EPT_ACCESSED,
  field('D', bit(9), 'dirty (A/D enabled)'),
];
const SUPPRESS_VE = field('SVE', bit(63), 'suppress #VE');

/** What kind of table an entry stands in, for naming its bits. */
export type EntryKind = '32-bit' | 'pae' | 'paging' | 'ept';

/** The named bits of an entry of this kind and level, as it stands (leaf or not), lowest first. */
export function entryFields(kind: EntryKind, level: number, value: bigint): readonly EntryField[] {
  const large = level > 1 && (value & bit(7)) !== 0n;
  const leaf = level === 1 || large;
  if (kind === 'ept') {
    const fields = [...EPT_RIGHTS, ...(leaf ? EPT_LEAF : [EPT_ACCESSED]), SUPPRESS_VE];
    if (large) fields.push(LARGE);
    return fields.sort(lowestFirst);
  }
  if (kind === 'pae' && level === 3) return [PAGING_FIELDS[0], PAGING_FIELDS[3], PAGING_FIELDS[4]];
  const fields = [...PAGING_FIELDS];
  if (leaf) fields.push(DIRTY, GLOBAL);
  if (large) fields.push(LARGE);
  if (kind !== '32-bit') fields.push(EXECUTE_DISABLE);
  if (kind === 'paging' && leaf) fields.push(KEY);
  return fields.sort(lowestFirst);
}

function lowestFirst(a: EntryField, b: EntryField): number {
  return a.bits < b.bits ? -1 : 1;
}
