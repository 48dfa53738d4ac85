/**
 * How memory slots stand in the journal, and how a reader finds them there again.
 *
 *   {@link Space.slot}
 *     field 0 guest_phys_addr, 1 memory_size, 2 userspace_addr, 3 flags: KVM's in bits 1:0, INVALID (16), there (17)
 *   {@link VmField.slotGeneration} of each address space
 */
import { high, join, low, PAGE_SIZE } from '../bits';
import type { Journal } from '../journal/journal';
import { Space, SPACES, VmField } from '../journal/spaces';
import type { WordMap } from '../journal/state';
import type { Slot } from './slots';

/** KVM_ADDRESS_SPACE_NUM on x86: normal, and system-management mode. */
export const ADDRESS_SPACES = 2;
const SLOT = SPACES[Space.slot].key;
const FLAGS_FIELD = 3;
const INVALID = 1 << 16;
const THERE = 1 << 17;
const NONE: readonly number[] = [0, 0, 0, 0];

export interface SlotRecord {
  /** Bits 15:0 id, 31:16 address space. */
  readonly id: number;
  readonly gpa: number;
  readonly size: number;
  readonly hva: number;
  readonly readonly: boolean;
  readonly logDirty: boolean;
  readonly invalid: boolean;
}

/** Write the rows of a change of a slot. `add`: it was not there before; `remove`: it is not there after. */
export function recordSlot(journal: Journal, vm: number, slot: Slot, change: () => void, what?: 'add' | 'remove'): void {
  const old = what === 'add' ? NONE : wordsOf(slot);
  change();
  const now = what === 'remove' ? NONE : wordsOf(slot);
  const key = SLOT.encode({ vm, id: slot.id, field: 0 });
  for (let field = 0; field < 4; field++) row(journal, Space.slot, key + field, old[field], now[field]);
}

export function recordGeneration(journal: Journal, vm: number, addressSpace: number, old: number, now: number): void {
  row(journal, Space.vm, generationKey(vm, addressSpace), old, now);
}

/** Slots of a VM by guest-physical address, from the words of {@link Space.slot} at some point of a run. */
export function slotsAt(words: WordMap, vm: number): SlotRecord[] {
  const slots: SlotRecord[] = [];
  for (const key of words.keys()) {
    if (SLOT.field(key, 'vm') !== vm || SLOT.field(key, 'field') !== FLAGS_FIELD) continue;
    const flags = words.lo(key);
    slots.push({
      id: SLOT.field(key, 'id'),
      gpa: number(words, key - 3),
      size: number(words, key - 2),
      hva: number(words, key - 1),
      readonly: (flags & 2) !== 0,
      logDirty: (flags & 1) !== 0,
      invalid: (flags & INVALID) !== 0,
    });
  }
  return slots.sort((a, b) => a.gpa - b.gpa);
}

/** The visible slot of a guest-physical address; null: MMIO. */
export function slotOf(words: WordMap, vm: number, gpa: number, addressSpace = 0): SlotRecord | null {
  const holds = (slot: SlotRecord): boolean =>
    slot.id >>> 16 === addressSpace && !slot.invalid && gpa >= slot.gpa && gpa < slot.gpa + slot.size;
  return slotsAt(words, vm).find(holds) ?? null;
}

function generationKey(vm: number, addressSpace: number): number {
  return SPACES[Space.vm].key.encode({ vm, field: VmField.slotGeneration + addressSpace });
}

function wordsOf(slot: Slot): readonly number[] {
  return [slot.gfn * PAGE_SIZE, slot.pages * PAGE_SIZE, slot.hva, slot.flags | (slot.invalid ? INVALID : 0) | THERE];
}

function row(journal: Journal, space: Space, key: number, old: number, now: number): void {
  journal.change(space, key, low(old) ^ low(now), high(old) ^ high(now));
}

function number(words: WordMap, key: number): number {
  return join(words.lo(key), words.hi(key));
}
