/** Paging-structure entries for people: their bits by the names of the manuals, and of KVM where the entry is KVM's. */
import { entryFields } from '../engine/x86/entries';
import type { EntryField, EntryKind } from '../engine/x86/entries';
import type { EntryBit } from '../protocol/messages';
import { hex } from './text';

/** All named bits of an entry, lowest first. A field of several bits is set when it is not 0. */
export function entryBits(kind: EntryKind, level: number, value: bigint): EntryBit[] {
  return entryFields(kind, level, value).map((field) => ({
    name: fieldText(field, value),
    set: (value & field.bits) !== 0n,
    about: field.about,
  }));
}

/** Names of the bits that are set, as `P R/W U/S A`; `-` when none is. */
export function bitNames(bits: readonly EntryBit[]): string {
  const names = bits.filter(({ set }) => set).map(({ name }) => name);
  return names.length > 0 ? names.join(' ') : '-';
}

/** `0x5067 (P R/W U/S A D)`. */
export function entryText(kind: EntryKind, level: number, value: bigint): string {
  return `${hex(value)} (${bitNames(entryBits(kind, level, value))})`;
}

/** `MT=6` for a field of several bits. */
function fieldText({ name, bits }: EntryField, value: bigint): string {
  const lowest = bits & -bits;
  return bits === lowest ? name : `${name}=${(value & bits) / lowest}`;
}
