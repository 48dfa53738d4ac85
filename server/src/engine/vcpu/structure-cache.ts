/**
 * Paging-structure caches of one stage: for each level from 2 up, valid non-leaf entries by the part of the address that selects
 * them, with the rights of the levels above (§2.10). A walk starts below the lowest one that fits.
 *
 * A line's frame is that of the next table, its low bits those of all entries so far taken together by AND; bit 31 of
 * frameHi is their XD, by OR.
 */
import type { Journal } from '../journal/journal';
import { Kind } from '../journal/events';
import { FRAME_HIGH, FRAME_LOW, NX_HIGH } from '../x86/entries';
import type { EntryCache } from '../x86/walk-caches';
import { TAG_MASK, TlbArray, hitBy } from './tlb-array';

export const LOWEST = 2;
export const HIGHEST = 5;

export class StructureCache implements EntryCache {
  /** Tag of what is walked now; 0: nothing is looked up or kept. */
  tag = 0;
  /** Entries used so far. */
  uses = 0;

  // What `find` found: where the walk starts, and what the entries above came to.
  level = 0;
  tableLo = 0;
  tableHi = 0;
  all = -1;
  any = 0;

  /** By level - LOWEST. */
  readonly arrays: readonly TlbArray[];

  constructor(
    private readonly journal: Journal,
    processor: number,
    firstLine: number,
    readonly entries: number,
    /** `structure` of the tlb_hit rows. */
    private readonly structure: number,
  ) {
    this.arrays = Array.from(
      { length: HIGHEST - LOWEST + 1 },
      (_, i) => new TlbArray(journal, processor, firstLine + i * entries, 1, entries),
    );
  }

  find(lo: number, hi: number, levels: number): boolean {
    if (this.tag === 0) return false;
    for (let level = LOWEST; level <= levels; level++) {
      const array = this.arrays[level - LOWEST];
      if (array.used === 0) continue;
      const line = array.find(0, prefixLo(lo, level) | this.tag, prefixHi(hi, level));
      if (line < 0) continue;
      array.touch(line);
      this.uses++;
      const frame = array.frame(line);
      const frameHi = array.frameHi(line);
      this.level = level - 1;
      this.tableLo = frame & FRAME_LOW;
      this.tableHi = frameHi & FRAME_HIGH;
      this.all = frame | FRAME_LOW;
      this.any = frameHi & NX_HIGH;
      this.journal.row(Kind.tlb_hit, level, hitBy(this.structure, this.tag), lo, hi, this.tableLo, this.tableHi);
      return true;
    }
    return false;
  }

  add(lo: number, hi: number, level: number, tableLo: number, tableHi: number, all: number, any: number): void {
    if (this.tag === 0) return;
    this.arrays[level - LOWEST].put(
      0,
      prefixLo(lo, level) | this.tag,
      prefixHi(hi, level),
      tableLo | (all & ~FRAME_LOW),
      tableHi | (any & NX_HIGH),
    );
  }
}

/** Part of an address that selects the entry of a level; 4 MiB regions of 32-bit paging are kept as two of 2 MiB. */
function prefixLo(lo: number, level: number): number {
  return level === 2 ? lo & ~0x1f_ffff : level === 3 ? lo & ~0x3fff_ffff : 0;
}

function prefixHi(hi: number, level: number): number {
  return level <= 3 ? hi : level === 4 ? hi & ~0x7f : hi & ~0xffff;
}

/** Does a line of a level's array cover an address? */
export function covers(array: TlbArray, line: number, level: number, lo: number, hi: number): boolean {
  return (array.key(line) & ~TAG_MASK & FRAME_LOW) === prefixLo(lo, level) && array.keyHi(line) === prefixHi(hi, level);
}
