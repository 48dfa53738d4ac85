/** A silent walk of the one walker as hops: each entry on the way with its place, value and bits, and why the way ends. */
import { toBigInt } from '../engine/bits';
import { ACCESS_FETCH, ACCESS_USER, ACCESS_WHAT, ACCESS_WRITE } from '../engine/journal/events';
import type { SpteFormat } from '../engine/mmu/pages/spte';
import { LEAF } from '../engine/x86/formats';
import type { Format } from '../engine/x86/formats';
import { Walk } from '../engine/x86/stage';
import type { Walker } from '../engine/x86/walker';
import type { EntryBit, WalkHop } from '../protocol/messages';
import { levelName } from '../events/decode';
import { entryBits, entryKind, spteBits, spteNote } from '../events/entry-text';
import { addressOf } from './machine-state';
import { bytes, hex } from '../events/wording';

export interface HopOptions {
  readonly stage: WalkHop['stage'];
  /** WalkHop.table */
  readonly table: string | null;
  /** Space that the tables lie in. */
  readonly space: 'ngpa' | 'gpa' | 'hpa';
  /** KVM's entries: its own bits are named too. */
  readonly sptes?: SpteFormat;
  /** ACCESS_* bits of an access that these tables deny: the bits to blame are marked. */
  readonly denied?: number | null;
  /** Why the entry at this address could not be read; null when it could. */
  unreadable?(address: number): string | null;
  /** The hops that translate the address of an entry. */
  via?(address: number): readonly WalkHop[];
}

/** Hops of the last walk of a walker, from its first entry to the one at which it ended. */
export function walkHops(walker: Walker, options: HopOptions): WalkHop[] {
  const hops: WalkHop[] = [];
  for (let level = walker.firstLevel; level >= walker.level; level--) hops.push(hopOf(walker, level, options));
  return hops;
}

function hopOf(walker: Walker, level: number, options: HopOptions): WalkHop {
  const { format, status } = walker;
  const address = walker.entryAddress(level);
  const register = format.pae && level === 3 && walker.pdptes !== null;
  const unreadable = register ? null : (options.unreadable?.(address) ?? null);
  const value = toBigInt(walker.entryLo(level), walker.entryHi(level));
  const ends = level === walker.level;
  const notes = [
    register && 'a PDPTE register',
    unreadable,
    options.sptes && spteNote(options.sptes, value),
    ends && unreadable === null && endNote(walker, value),
  ].filter(Boolean);
  const absent = ends && status === Walk.notPresent;
  return {
    stage: options.stage,
    table: options.table,
    label: labelOf(format, level),
    level,
    index: indexOf(format, level, address),
    at: register ? null : hex(address),
    atSpace: register ? null : options.space,
    value: unreadable === null ? hex(value) : null,
    bits: unreadable === null ? bitsOf(format, level, value, absent, options) : null,
    to: unreadable === null ? destination(walker, level) : null,
    note: notes.length > 0 ? notes.join('; ') : null,
    via: register ? [] : (options.via?.(address) ?? []),
  };
}

/** `PML4`, `EPT4`, `NPT1`, `PDPTE`. */
function labelOf(format: Format, level: number): string {
  if (format.ept) return `EPT${level}`;
  if (format.userOnly) return `NPT${level}`;
  return format.pae && level === 3 ? 'PDPTE' : levelName(level);
}

function indexOf(format: Format, level: number, address: number): number {
  if (format.pae && level === 3) return (address / 8) & 3;
  return format.narrow ? (address % 4096) >>> 2 : (address % 4096) >>> 3;
}

function bitsOf(format: Format, level: number, value: bigint, absent: boolean, { sptes, denied }: HopOptions): EntryBit[] {
  const bits = [...entryBits(entryKind(format), level, value), ...(sptes ? spteBits(sptes, level, value) : [])];
  const blamed = absent ? (format.ept ? ['R', 'W', 'X'] : ['P']) : typeof denied === 'number' ? needed(format.ept, denied) : [];
  return bits.map((bit) => (blamed.includes(bit.name) && bit.set === (bit.name === 'XD') ? { ...bit, denies: true } : bit));
}

/** Names of the bits that decide on an access: XD must be clear, the others set. */
function needed(ept: boolean, access: number): string[] {
  const what = access & ACCESS_WHAT;
  if (ept) return [what === ACCESS_WRITE ? 'W' : what === ACCESS_FETCH ? 'X' : 'R'];
  return [
    ...(what === ACCESS_WRITE ? ['R/W'] : []),
    ...(what === ACCESS_FETCH ? ['XD'] : []),
    ...((access & ACCESS_USER) !== 0 ? ['U/S'] : []),
  ];
}

/** Why the way ends at this entry, or how large the page is that it maps. */
function endNote({ status, format, level }: Walker, value: bigint): string | null {
  if (status === Walk.notPresent) return (value & BigInt(format.present)) === 0n ? 'not present' : 'the address is beyond these tables';
  if (status === Walk.reserved) return format.ept ? 'misconfigured' : `reserved bits set: ${hex(reservedBits(format, level, value))}`;
  return level === 1 ? null : `maps a page of ${bytes(pageSize(format, level))}`;
}

function pageSize(format: Format, level: number): number {
  return level === 3 ? 0x4000_0000 : format.narrow ? 0x40_0000 : 0x20_0000;
}

/** Address that the entry leads to: the next table, or the byte asked for; null when it leads nowhere. */
function destination(walker: Walker, level: number): string | null {
  if (level > walker.level) return hex(addressOf(walker.entryLo(level) & ~0xfff, walker.entryHi(level)));
  return walker.status === Walk.ok ? hex(addressOf(walker.outLo, walker.outHi)) : null;
}

/** Bits of an entry of this level that must be 0 and are not. */
function reservedBits(format: Format, level: number, value: bigint): bigint {
  const leaf = level === 1 || (Number(BigInt.asIntN(32, value)) & format.large[level]) !== 0;
  const at = leaf ? level + LEAF : level;
  return value & toBigInt(format.reservedLo[at], format.reservedHi[at]);
}
