/** Shapes of paging structures, as their builder needs them: levels, index bits, entry sizes, input addresses (§2.2, §3.2). */
import type { PagingMode, TableRef } from '../../../engine/program';

export type FormatName = Exclude<TableRef['format'], 'none'>;

export interface Shape {
  readonly name: FormatName;
  /** Level of the root; PAE's four PDPTEs count as level 3. */
  readonly levels: number;
  readonly entryBytes: 4 | 8;
  readonly indexBits: number;
  /** Bits of an input address; canonical ones repeat the top bit above. */
  readonly inputBits: number;
  readonly canonical: boolean;
  /** Levels above 1 whose entries can map a page. */
  readonly largeLevels: readonly number[];
  /** The root's address is a multiple of it. */
  readonly rootAlignment: number;
}

const LONG = { entryBytes: 8, indexBits: 9, canonical: true, largeLevels: [2, 3], rootAlignment: 4096 } as const;

export const SHAPES: { readonly [name in FormatName]: Shape } = {
  '32-bit': {
    name: '32-bit', levels: 2, entryBytes: 4, indexBits: 10, inputBits: 32, canonical: false, largeLevels: [2], rootAlignment: 4096,
  },
  pae: { name: 'pae', levels: 3, entryBytes: 8, indexBits: 9, inputBits: 32, canonical: false, largeLevels: [2], rootAlignment: 32 },
  '4-level': { ...LONG, name: '4-level', levels: 4, inputBits: 48 },
  '5-level': { ...LONG, name: '5-level', levels: 5, inputBits: 57 },
  ept: { ...LONG, name: 'ept', levels: 4, inputBits: 48, canonical: false },
  npt: { ...LONG, name: 'npt', levels: 4, inputBits: 48, canonical: false },
}; // prettier-ignore

/** The lowest address bit that an entry of a level decides. */
export function shiftOf(shape: Shape, level: number): number {
  return 12 + (level - 1) * shape.indexBits;
}

/** Bytes that an entry of a level covers. */
export function spanOf(shape: Shape, level: number): bigint {
  return 1n << BigInt(shiftOf(shape, level));
}

/** Level at which pages have this size; null when there are none. */
export function levelOfPage(shape: Shape, size: bigint): number | null {
  for (const level of [1, ...shape.largeLevels]) if (spanOf(shape, level) === size) return level;
  return null;
}

/** Why an address cannot be translated by these tables; null: it can. */
export function whyNotTranslated(shape: Shape, address: bigint): string | null {
  const bits = BigInt(shape.inputBits);
  if (!shape.canonical) return address >> bits === 0n ? null : `it is not below 2^${bits}, the end of what ${shape.name} tables translate`;
  return BigInt.asUintN(64, BigInt.asIntN(Number(bits), address)) === address
    ? null
    : `it is not canonical: bits 63:${bits - 1n} are not all equal`;
}

/** Whether a linear address can be used in a paging mode (§2.9). */
export function whyNotLinear(mode: PagingMode, address: bigint): string | null {
  if (mode !== 'none') return whyNotTranslated(SHAPES[mode], address);
  return address >> 32n === 0n ? null : 'without paging linear addresses have 32 bits';
}
