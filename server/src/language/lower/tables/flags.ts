/** Flags of mappings and named bits of entries as bits, per format (§2.3, §3.2). */
import { Ept, FRAME_HIGH, NX_HIGH, Pte } from '../../../engine/x86/entries';
import type { FormatName } from './format';

const u64 = (bits: number): bigint => BigInt(bits >>> 0);
const NX = u64(NX_HIGH) << 32n;
const KEY_SHIFT = 59n;
const FRAME = (BigInt(FRAME_HIGH) << 32n) | 0xffff_f000n;
const ALL = 0xffff_ffff_ffff_ffffn;

/** Bits of a field of an entry, lowest bit and mask; `inverted`: 0 in the entry means yes. */
interface Field {
  readonly mask: bigint;
  readonly shift: bigint;
  readonly inverted?: boolean;
}

const bit = (mask: number): Field => field(u64(mask));
const field = (mask: bigint, inverted = false): Field => ({ mask, shift: lowestBit(mask), inverted });

function lowestBit(mask: bigint): bigint {
  let shift = 0n;
  while (((mask >> shift) & 1n) === 0n) shift++;
  return shift;
}

const PAGING: { readonly [word: string]: Field } = {
  present: bit(Pte.present),
  writable: bit(Pte.writable),
  user: bit(Pte.user),
  pwt: bit(Pte.writeThrough),
  pcd: bit(Pte.cacheDisable),
  accessed: bit(Pte.accessed),
  dirty: bit(Pte.dirty),
  large: bit(Pte.large),
  global: bit(Pte.global),
  nx: field(NX),
  executable: field(NX, true),
  key: field(15n << KEY_SHIFT),
  frame: field(FRAME),
};
const EPT: { readonly [word: string]: Field } = {
  readable: bit(Ept.read),
  writable: bit(Ept.write),
  executable: bit(Ept.execute),
  nx: field(u64(Ept.execute), true),
  accessed: bit(Ept.accessed),
  dirty: bit(Ept.dirty),
  large: bit(Ept.large),
  memtype: bit(Ept.memoryType),
  frame: field(FRAME),
};
/** Software bits of KVM's own entries (§5.1.3). */
const SPTE = { host_writable: field(1n << 9n), mmu_writable: field(1n << 10n) };
const EPT_SPTE = { host_writable: field(1n << 57n), mmu_writable: field(1n << 58n) };

/** A named bit of entries of a format; `spte`: of the hypervisor's own tables. Null: these entries have no such bit. */
export function fieldOf(format: FormatName, word: string, spte: boolean): Field | null {
  const fields = format === 'ept' ? EPT : PAGING;
  const found = fields[word] ?? (spte ? (format === 'ept' ? EPT_SPTE : SPTE)[word as keyof typeof SPTE] : undefined);
  if (!found) return null;
  if (format === '32-bit' && found.mask >> 32n !== 0n) return word === 'frame' ? field(0xffff_f000n) : null;
  if (format === 'pae' && word === 'key') return null;
  return found;
}

/** Bits that make an entry present: P, or any of R, W, X. */
export function presentMask(format: FormatName): bigint {
  return format === 'ept' ? u64(Ept.read | Ept.write | Ept.execute) : u64(Pte.present);
}

export function frameMask(format: FormatName): bigint {
  return format === '32-bit' ? 0xffff_f000n : FRAME;
}

export const LARGE = u64(Pte.large);

/** What a flag says of an entry: these bits are 0, those are 1. `tells` groups flags that say something of the same thing. */
export interface FlagMeaning {
  readonly clear: bigint;
  readonly set: bigint;
  readonly tells: string;
  /** Only leaf entries have it. */
  readonly leaf: boolean;
  /** EPT: the mapping has the rights that its flags name, and no others. */
  readonly rights: boolean;
}

const meaning = (tells: string, clear: number, set: number, more: { leaf?: boolean; rights?: boolean } = {}): FlagMeaning => ({
  tells,
  clear: u64(clear),
  set: u64(set),
  leaf: more.leaf ?? false,
  rights: more.rights ?? false,
});
const NX_MEANING: FlagMeaning = { tells: 'fetch', clear: 0n, set: NX, leaf: false, rights: false };

const PAGING_FLAGS: { readonly [flag: string]: FlagMeaning } = {
  rw: meaning('write', 0, Pte.writable),
  ro: meaning('write', Pte.writable, 0),
  user: meaning('user', 0, Pte.user),
  supervisor: meaning('user', Pte.user, 0),
  nx: NX_MEANING,
  x: { ...NX_MEANING, clear: NX, set: 0n },
  global: meaning('global', 0, Pte.global, { leaf: true }),
  accessed: meaning('accessed', 0, Pte.accessed),
  dirty: meaning('dirty', 0, Pte.dirty, { leaf: true }),
  pwt: meaning('pwt', 0, Pte.writeThrough),
  pcd: meaning('pcd', 0, Pte.cacheDisable),
  absent: meaning('present', Pte.present, 0),
  present: meaning('present', 0, Pte.present),
  large: meaning('large', 0, Pte.large, { leaf: true }),
};
const R = Ept.read;
const W = Ept.write;
const X = Ept.execute;
const EPT_FLAGS: { readonly [flag: string]: FlagMeaning } = {
  r: meaning('rights', W | X, R, { rights: true }),
  w: meaning('rights', R | X, W, { rights: true }),
  rx: meaning('rights', W, R | X, { rights: true }),
  wx: meaning('rights', R, W | X, { rights: true }),
  rwx: meaning('rights', 0, R | W | X, { rights: true }),
  rw: meaning('rights', 0, R | W, { rights: true }),
  ro: meaning('rights', W, R, { rights: true }),
  x: meaning('fetch', 0, X, { rights: true }),
  nx: meaning('fetch', X, 0),
  accessed: meaning('accessed', 0, Ept.accessed),
  dirty: meaning('dirty', 0, Ept.dirty, { leaf: true }),
  absent: meaning('present', R | W | X, 0),
  large: meaning('large', 0, Ept.large, { leaf: true }),
};

/** The opposite of a flag, after `not`. */
const OPPOSITE: { readonly [flag: string]: string } = {
  rw: 'ro', ro: 'rw', user: 'supervisor', supervisor: 'user', nx: 'x', x: 'nx', present: 'absent', absent: 'present',
}; // prettier-ignore

/** What a flag means for entries of a format; null: they have no such flag. */
export function flagMeaning(format: FormatName, flag: string, not: boolean): FlagMeaning | null {
  const flags = format === 'ept' ? EPT_FLAGS : PAGING_FLAGS;
  const opposite = OPPOSITE[flag];
  const found = flags[not && opposite ? opposite : flag];
  if (!found || (format === '32-bit' && (found.set | found.clear) >> 32n !== 0n)) return null;
  return not && !opposite ? { ...found, clear: found.set, set: found.clear } : found;
}

/** An entry with flags applied to what it is without them. */
export function withFlags(format: FormatName, plain: bigint, flags: readonly FlagMeaning[]): bigint {
  const rights = flags.filter((flag) => flag.rights);
  let entry = rights.length > 0 ? plain & ~presentMask(format) : plain;
  for (const flag of rights) entry |= flag.set;
  for (const flag of flags) if (!flag.rights) entry = (entry & ~flag.clear) | flag.set;
  return entry;
}

/** An entry before its flags are applied: what a mapping or a link is when nothing is said (docs/language.md, "Tables"). */
export function plainEntry(format: FormatName, level: number, leaf: boolean): bigint {
  const large = leaf && level > 1 ? LARGE : 0n;
  if (format === 'ept') return presentMask('ept') | (leaf ? 6n << lowestBit(u64(Ept.memoryType)) : 0n) | large;
  if (format === 'pae' && level === 3) return u64(Pte.present);
  const user = !leaf || format === 'npt' ? Pte.user : 0;
  return u64(Pte.present | Pte.writable | user) | large;
}

/** Every bit of an entry of the format. */
export function wholeEntry(format: FormatName): bigint {
  return format === '32-bit' ? 0xffff_ffffn : ALL;
}
