/**
 * Formats: what the bits of a paging structure's entries mean, per paging mode and level, as masks that the one walker
 * (walker.ts) applies without asking which structure it walks (§2.2, §2.3, §2.5, §3.2, §3.3, §3.12).
 */
import type { PagingMode } from '../program';
import { Ept, Pte } from './entries';

/** Index of a leaf's masks in the reserved-bit arrays: level + LEAF. */
export const LEAF = 8;
/** Largest level + LEAF, plus one. */
const MASKS = 16;

export class Format {
  /** Any of these bits set: the entry is present. */
  present: number = Pte.present;
  /** Accessed and dirty flags; 0 when the structure has none (EPT with A/D off). */
  accessed: number = Pte.accessed;
  dirty: number = Pte.dirty;
  global: number = Pte.global;
  /** By level: any of these bits set makes the entry a leaf. Level 1: as `present`. */
  readonly large = new Int32Array(MASKS);
  /** By level, non-leaf; by level + LEAF, leaf: bits that must be 0. */
  readonly reservedLo = new Int32Array(MASKS);
  readonly reservedHi = new Int32Array(MASKS);
  /** Bit n: bits 2:0 = n is malformed (EPT: writable or executable without being readable). */
  badRights = 0;
  /** Bit n: memory type n is malformed in a leaf (EPT). */
  badTypes = 0;
  /** Rights are EPT's R, W, X of the second stage; else R/W, U/S, XD. */
  ept = false;
  /** Accesses count as user accesses whoever makes them (nested tables of AMD). */
  userOnly = false;
  /** Guest-table accesses are writes to this second stage (§3.5, §3.12). */
  tableWrites = false;
  /** The top level is four PDPTEs without rights, in registers or in memory. */
  pae = false;
  /** 4-byte entries, 10 index bits a level. */
  narrow = false;
  /** Bits of addresses in entries (MAXPHYADDR). */
  maxPhyAddr = 52;
  /** Input addresses with bits above this many are not translated; 64: the caller has checked (canonical). */
  inputBits = 64;

  // What quick-walk.ts asks: entries that pass are present and well-formed beyond doubt.
  /** Bits that all entries have. */
  needed = 0;
  /** Bits that are reserved in non-leaf entries of some level. */
  doubtfulLo = 0;
  /** Bits 63:32 that are reserved in entries of some level. */
  doubtfulHi = 0;
  /** By level, bits 31:0 that are reserved in leaves; all, where there are none. */
  readonly doubtfulLeaf = new Int32Array(LEAF).fill(-1);

  /** @param levels of tables in memory; under PAE without the PDPTEs */
  constructor(
    readonly name: string,
    readonly levels: number,
  ) {
    this.large[1] = this.present;
  }

  /** Bits `from`..`to` must be 0 in entries of a level; `leaf` or not. */
  reserve(level: number, leaf: boolean, from: number, to: number): void {
    const at = leaf ? level + LEAF : level;
    this.reservedLo[at] |= lowMask(from, to);
    this.reservedHi[at] |= lowMask(from - 32, to - 32);
  }

  /** To be called once, when all is set. */
  seal(): this {
    // An entry of EPT that is readable is present, and its rights are not malformed.
    this.needed = Pte.present | this.accessed;
    for (let level = 1; level < LEAF; level++) {
      this.doubtfulLo |= this.reservedLo[level];
      this.doubtfulHi |= this.reservedHi[level] | this.reservedHi[level + LEAF];
      if (this.large[level] !== 0) this.doubtfulLeaf[level] = this.reservedLo[level + LEAF];
    }
    return this;
  }
}

/** Bits from..to that lie in 0..31. */
function lowMask(from: number, to: number): number {
  let mask = 0;
  for (let n = Math.max(from, 0); n <= Math.min(to, 31); n++) mask |= 1 << n;
  return mask;
}

interface PagingOptions {
  readonly mode: Exclude<PagingMode, 'none'>;
  /** EFER.NXE; without it bit 63 is reserved. Nothing in 32-bit paging. */
  readonly nxe: boolean;
  /** CR4.PSE: 4 MiB pages in 32-bit paging. */
  readonly pse: boolean;
  readonly pse36: boolean;
  readonly page1G: boolean;
  /** MAXPHYADDR that these tables are held to: the guest's for guest tables, the host's for shadow and nested tables. */
  readonly maxPhyAddr: number;
  /** Bit 8 of PML4 and PML5 entries is reserved (AMD); ignored (Intel). */
  readonly amd: boolean;
}

/** Tables of ordinary paging: a guest's, or shadow tables with the host's options. */
export function pagingFormat(options: PagingOptions): Format {
  const { mode, maxPhyAddr: m } = options;
  if (mode === '32-bit') return legacyFormat(options);
  const pae = mode === 'pae';
  const format = new Format(mode, pae ? 2 : mode === '4-level' ? 4 : 5);
  format.pae = pae;
  format.maxPhyAddr = m;
  for (let level = 1; level <= format.levels; level++) {
    for (const leaf of [false, true]) {
      format.reserve(level, leaf, m, pae ? 62 : 51);
      if (!options.nxe) format.reserve(level, leaf, 63, 63);
    }
    if (level >= 4) format.reserve(level, false, 7, 7);
    if (level >= 4 && options.amd) format.reserve(level, false, 8, 8);
  }
  format.large[2] = Pte.large;
  format.reserve(2, true, 13, 20);
  if (pae) {
    // SDM vol. 3 "PAE paging": PDPTE bits 63:M, 8:5, 2:1.
    format.reserve(3, false, m, 63);
    format.reserve(3, false, 5, 8);
    format.reserve(3, false, 1, 2);
  } else if (options.page1G) {
    format.large[3] = Pte.large;
    format.reserve(3, true, 13, 29);
  } else format.reserve(3, false, 7, 7);
  return format.seal();
}

function legacyFormat({ pse, pse36, maxPhyAddr }: PagingOptions): Format {
  const format = new Format('32-bit', 2);
  format.narrow = true;
  format.maxPhyAddr = maxPhyAddr;
  if (pse) {
    format.large[2] = Pte.large;
    // PSE-36: bits 20:13 are address bits 39:32, as far as M (at most 40) goes; bit 21 is reserved always.
    format.reserve(2, true, pse36 ? Math.max(Math.min(maxPhyAddr, 40) - 19, 13) : 13, 21);
  }
  return format.seal();
}

interface NptOptions {
  /** Paging mode of the host at VMRUN. */
  readonly mode: Exclude<PagingMode, 'none'>;
  /** The host's EFER.NXE. */
  readonly nxe: boolean;
  readonly page1G: boolean;
  readonly maxPhyAddr: number;
}

/** Nested tables of AMD: the host's ordinary format, user accesses, guest-table accesses as writes (§3.12). */
export function nptFormat(options: NptOptions): Format {
  const format = pagingFormat({ ...options, pse: true, pse36: true, amd: true });
  format.userOnly = true;
  format.tableWrites = true;
  format.inputBits = options.mode === '5-level' ? 57 : options.mode === '4-level' ? 48 : 32;
  return format;
}

interface EptOptions {
  readonly levels: 4 | 5;
  /** EPTP bit 6. */
  readonly accessedDirty: boolean;
  readonly executeOnly: boolean;
  readonly page1G: boolean;
  readonly maxPhyAddr: number;
}

/** EPT (§3.2, §3.3; SDM vol. 3 "EPT misconfigurations"). */
export function eptFormat({ levels, accessedDirty, executeOnly, page1G, maxPhyAddr: m }: EptOptions): Format {
  const format = new Format('ept', levels);
  format.ept = true;
  format.maxPhyAddr = m;
  format.present = Ept.read | Ept.write | Ept.execute;
  format.accessed = accessedDirty ? Ept.accessed : 0;
  format.dirty = accessedDirty ? Ept.dirty : 0;
  format.global = 0;
  format.tableWrites = accessedDirty;
  format.inputBits = levels === 5 ? 57 : 48;
  for (let level = 1; level <= levels; level++) {
    format.reserve(level, false, m, 51);
    format.reserve(level, true, m, 51);
    format.reserve(level, false, 3, level >= 4 ? 7 : 6);
  }
  format.large[1] = format.present;
  format.large[2] = Ept.large;
  format.reserve(2, true, 12, 20);
  if (page1G) {
    format.large[3] = Ept.large;
    format.reserve(3, true, 12, 29);
  } else format.reserve(3, false, 7, 7);
  format.badRights = (1 << 2) | (1 << 6) | (executeOnly ? 0 : 1 << 4);
  format.badTypes = (1 << 2) | (1 << 3) | (1 << 7);
  return format.seal();
}
