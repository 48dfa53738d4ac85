/** Guests of every paging mode with four pages, and what they do: accesses, edits of the pages' entries, loads of CR3. */
import fc from 'fast-check';
import type { Act, PagingMode, Performer } from '../../../server/src/engine/program';
import { access, type Words } from './machines';

export interface PagingGuest {
  readonly paging: PagingMode;
  readonly words: Words;
  /** Linear address of data page i; guest-physical address of its entry. */
  readonly address: (page: number) => bigint;
  readonly entry: (page: number) => number;
  readonly size: 4 | 8;
  readonly root: bigint;
}

const frame = (page: number): number => 0x1_0000 + page * 0x1000;
const leaves = (flags: bigint): bigint[] => [0, 1, 2, 3].map((page) => BigInt(frame(page)) | flags);
const table = (at: number, entries: readonly bigint[]): Record<number, bigint> =>
  Object.fromEntries(entries.map((entry, i) => [at + i * 8, entry]));
const pairs = (entries: readonly bigint[]): bigint[] => [0, 2].map((i) => entries[i] | (entries[i + 1] << 32n));
const window = (at: number): bigint => BigInt(at) | 0x63n;

/** @param flags of the leaves at the start: with A and D, or without */
export const pagingGuests = (flags = 0x67n): readonly PagingGuest[] => [
  {
    paging: '5-level',
    words: {
      0x1000: 0x2067n,
      0x2000: 0x3067n,
      0x3000: 0x4067n,
      0x4000: 0x5067n,
      0x4008: 0x6067n,
      ...table(0x5000, leaves(flags)),
      0x6000: window(0x5000),
    },
    address: (p) => BigInt(p * 0x1000),
    entry: (p) => 0x5000 + p * 8,
    size: 8,
    root: 0x1000n,
  },
  {
    paging: '4-level',
    words: { 0x1000: 0x2067n, 0x2000: 0x3067n, 0x3000: 0x5067n, 0x3008: 0x6067n, ...table(0x5000, leaves(flags)), 0x6000: window(0x5000) },
    address: (p) => BigInt(p * 0x1000),
    entry: (p) => 0x5000 + p * 8,
    size: 8,
    root: 0x1000n,
  },
  {
    paging: 'pae',
    words: { 0x1000: 0x3001n, 0x3000: 0x5067n, 0x3008: 0x6067n, ...table(0x5000, leaves(flags)), 0x6000: window(0x5000) },
    address: (p) => BigInt(p * 0x1000),
    entry: (p) => 0x5000 + p * 8,
    size: 8,
    root: 0x1000n,
  },
  {
    paging: '32-bit',
    words: { 0x1000: 0x5067n | (0x6067n << 32n), ...table(0x5000, pairs(leaves(flags))), 0x6000: window(0x5000) },
    address: (p) => BigInt(p * 0x1000),
    entry: (p) => 0x5000 + p * 4,
    size: 4,
    root: 0x1000n,
  },
  { paging: 'none', words: {}, address: (p) => BigInt(frame(p)), entry: () => 0, size: 8, root: 0n },
];
const FLAGS = [0x67n, 0x65n, 0x27n, 0x63n, 0n];

export type PagingStep = {
  readonly page: number;
  readonly what: 'read' | 'write' | 'fetch' | 'edit' | 'cr3';
  readonly user: boolean;
  readonly flags: number;
};
export const pagingSteps = fc.array(
  fc.record({
    page: fc.nat(3),
    what: fc.constantFrom('read' as const, 'write' as const, 'fetch' as const, 'write' as const, 'edit' as const, 'cr3' as const),
    user: fc.boolean(),
    flags: fc.nat(FLAGS.length - 1),
  }),
  { minLength: 10, maxLength: 30, size: 'max' },
);

/** The acts of a step; an edit is followed by INVLPG. */
export function actsOfStep({ page, what, user, flags }: PagingStep, guest: PagingGuest, by: Performer): Act[] {
  const address = guest.address(page);
  switch (what) {
    case 'edit': {
      if (guest.paging === 'none') return [];
      const value = FLAGS[flags] === 0n ? 0n : BigInt(frame(page)) | FLAGS[flags];
      const store: Act = { do: 'store', by, gpa: guest.entry(page), size: guest.size, value, origin: 0 };
      return [store, { do: 'invlpg', by, address, origin: 0 }];
    }
    case 'cr3':
      return [{ do: 'register', by, register: 'cr3', value: guest.root, origin: 0 }];
    default:
      return [{ ...access(what, address, user, what === 'write' ? BigInt(flags + 1) : null), by } as Act];
  }
}
