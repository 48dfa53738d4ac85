/** Paging-structure entries for people: their bits by the names of the manuals, and of KVM where the entry is KVM's. */
import { SpteFormat, spteOptions } from '../engine/mmu/pages/spte';
import type { HostConfig } from '../engine/program';
import { entryFields } from '../engine/x86/entries';
import type { EntryField, EntryKind } from '../engine/x86/entries';
import type { Format } from '../engine/x86/formats';
import type { EntryBit } from '../protocol/translation';
import { hex } from './wording';

/** What entries of a format are called after. */
export function entryKind(format: Format): EntryKind {
  if (format.ept) return 'ept';
  if (format.narrow) return '32-bit';
  return format.pae ? 'pae' : 'paging';
}

/** All named bits of an entry, lowest first. A field of several bits is set when it is not 0. */
export function entryBits(kind: EntryKind, level: number, value: bigint): EntryBit[] {
  return entryFields(kind, level, value).map((field) => ({
    name: fieldText(field, value),
    set: (value & field.bits) !== 0n,
    about: field.about,
    bit: lowestBit(field.bits),
  }));
}

/** Names of the bits that are set, as `P R/W U/S A`; `-` when none is. */
export function bitNames(bits: readonly EntryBit[]): string {
  const names = bits.filter(({ set }) => set).map(({ name }) => name);
  return names.length > 0 ? names.join(' ') : '-';
}

/** `0x5067 (P R/W U/S A D)`; 0 alone. */
export function entryText(kind: EntryKind, level: number, value: bigint): string {
  return value === 0n ? '0' : `${hex(value)} (${bitNames(entryBits(kind, level, value))})`;
}

function lowestBit(bits: bigint): number {
  return (bits & -bits).toString(2).length - 1;
}

/** `MT=6` for a field of several bits. */
function fieldText({ name, bits }: EntryField, value: bigint): string {
  const lowest = bits & -bits;
  return bits === lowest ? name : `${name}=${(value & bits) / lowest}`;
}

/** KVM's entries of a machine: soft and nested ones in the ordinary format, or EPT's. */
export function spteFormat(host: HostConfig, ept: boolean): SpteFormat {
  return new SpteFormat(spteOptions(host, ept, false));
}

/** KVM's own bits of a leaf, besides those of the format. */
export function spteBits(sptes: SpteFormat, level: number, value: bigint): EntryBit[] {
  const lo = Number(BigInt.asIntN(32, value));
  const hi = Number(BigInt.asIntN(32, value >> 32n));
  if (!sptes.present(lo) || sptes.isMmio(lo, hi) || !sptes.last(lo, level)) return [];
  return [
    { name: 'host-W', set: sptes.hostWritable(lo, hi), about: "the host's page and the slot allow writes" },
    {
      name: 'MMU-W',
      set: sptes.mmuWritable(lo, hi),
      about: 'KVM may make it writable at once: it is not write-protected for shadow paging',
    },
  ];
}

/** What there is to say of KVM's entry as a whole; null for nothing. */
export function spteNote(sptes: SpteFormat, value: bigint): string | null {
  const lo = Number(BigInt.asIntN(32, value));
  const hi = Number(BigInt.asIntN(32, value >> 32n));
  if (!sptes.isMmio(lo, hi)) return null;
  return `MMIO, generation ${sptes.mmioGeneration(lo, hi)}`;
}
