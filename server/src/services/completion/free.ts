/** Space that nothing declared takes: guest-physical memory beside slots, pages within them, addresses beside mapped ranges. */
import type { DeclaredSlot, MappedRange } from './declared';

interface FreeSpace {
  readonly at: bigint;
  /** First address behind it that is taken; null: none. */
  readonly end: bigint | null;
}

interface Taken {
  readonly from: bigint;
  readonly end: bigint;
}

/** Where page tables usually begin, and mapped memory, in a VM that has none yet. */
const FIRST_TABLE = 0x1000n;
const FIRST_TARGET = 0x20_0000n;
const FIRST_LINEAR = 0x40_0000n;
/** Tables of a root rarely take more. */
const TABLES = 0x1_0000n;
const PAGE = 0x1000n;

/** Guest-physical addresses in no slot, the lowest first. */
export function besideSlots(slots: readonly DeclaredSlot[]): FreeSpace[] {
  return gaps(slots.flatMap(({ gpa, size }) => (gpa === null || size === null ? [] : [{ from: gpa, end: gpa + size }])));
}

/** Addresses of the VMM behind those that slots have. */
export function besideHva(slots: readonly DeclaredSlot[]): bigint | null {
  const ends = slots.flatMap(({ hva, size }) => (hva === null || size === null ? [] : [hva + size]));
  return ends.length === 0 ? null : alignUp(ends.reduce(larger), 1n << 32n);
}

/** A page of a slot for the root of tables: behind the roots there are. */
export function freeForTables(slots: readonly DeclaredSlot[], roots: readonly bigint[], mapped: readonly MappedRange[]): bigint | null {
  let at = roots.length === 0 ? FIRST_TABLE : alignUp(roots.reduce(larger) + PAGE, TABLES);
  for (const { to, size } of [...mapped].sort((a, b) => (a.to < b.to ? -1 : 1))) {
    if (to < at + TABLES && at < to + size) at = alignUp(to + size, TABLES);
  }
  return slotWith(slots, at) ? at : null;
}

/** Guest-physical memory for another mapping: behind what is mapped. */
export function freeTarget(slots: readonly DeclaredSlot[], mapped: readonly MappedRange[]): bigint | null {
  const at = mapped.length === 0 ? FIRST_TARGET : mapped.map(({ to, size }) => to + size).reduce(larger);
  return slotWith(slots, at) ? at : null;
}

/** Linear addresses for another mapping: behind the last one that tables map. */
export function freeLinear(mapped: readonly MappedRange[]): { readonly at: bigint; readonly after: MappedRange | null } {
  const after = mapped.at(-1) ?? null;
  return { at: after ? BigInt.asUintN(64, after.from + after.size) : FIRST_LINEAR, after };
}

export function slotWith(slots: readonly DeclaredSlot[], address: bigint): DeclaredSlot | null {
  return slots.find(({ gpa, size }) => gpa !== null && size !== null && gpa <= address && address < gpa + size) ?? null;
}

function gaps(taken: readonly Taken[]): FreeSpace[] {
  const found: FreeSpace[] = [];
  let at = 0n;
  for (const { from, end } of [...taken].sort((a, b) => (a.from < b.from ? -1 : 1))) {
    if (from > at) found.push({ at, end: from });
    at = larger(at, end);
  }
  return [...found, { at, end: null }];
}

function alignUp(value: bigint, size: bigint): bigint {
  return ((value + size - 1n) / size) * size;
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
