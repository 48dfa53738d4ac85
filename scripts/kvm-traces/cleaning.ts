/** Own events of the recorded guest's code, which are left out by address ("Own events" of test/kvm-traces/README.md). */
import { isSoft } from './mode';
import type { Mode } from './mode';

/** Whose frames and addresses are the code's own. */
export interface Own {
  /** A frame of it; with a level: a nested-table page that covers it. */
  frame(mode: Mode, gfn: bigint, level?: number): boolean;
  /** A linear address of it. */
  address(va: bigint): boolean;
  /** A linear address left out of `vis` under shadow paging. */
  leaf(va: bigint): boolean;
}

/** Nested paging: the first root, which every fetch walks, and nested tables that cover the code. */
const ofNestedTables = (mode: Mode, gfn: bigint, level: number): boolean =>
  !isSoft(mode) && (gfn === 0x100n || (gfn === 0n && level >= 1 && level <= 3));

/** The interpreter of schema 1. */
const INTERPRETER: Own = {
  frame: (mode, gfn, level = 0) => (gfn >= 0x10n && gfn <= 0x6fn) || (gfn >= 0x101n && gfn <= 0x108n) || ofNestedTables(mode, gfn, level),
  address: (va) =>
    (va >= 0xffff_ffff_8001_0000n && va <= 0xffff_ffff_8006_ffffn) ||
    (va >= 0x80_0000_0000n && va <= 0x80_0000_1fffn) ||
    (va >= 0x7f00_0000_0000n && va <= 0x7f00_0000_0fffn),
  // PML4 slots of the interpreter.
  leaf: (va) => [1n, 511n].includes((va >> 39n) & 511n),
};

/** Pages at which the warm-up of schema 2 faults, by paging mode. */
const FAULT_PAGES = [0x7000_0000n, 0xf000_0000n, 0x7f00_0000_0000n, 0xff_0000_0000_0000n];

const stubAddress = (va: bigint): boolean => (va >= 0x1_0000n && va <= 0x3_ffffn) || FAULT_PAGES.includes(va - (va % 4096n));

/** The stubs of schema 2, whose linear addresses are physical ones. */
const STUBS: Own = {
  frame: (mode, gfn, level = 0) => (gfn >= 0x10n && gfn <= 0x3fn) || ofNestedTables(mode, gfn, level),
  address: stubAddress,
  leaf: stubAddress,
};

export const OWN = { 1: INTERPRETER, 2: STUBS } as const satisfies { readonly [schema: number]: Own };
export type Schema = keyof typeof OWN;
