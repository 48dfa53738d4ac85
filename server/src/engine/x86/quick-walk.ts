/**
 * The walk of a running machine: every entry is present and well-formed, its accessed and dirty flags are set, the access is
 * allowed. Nothing is left but to go down, level by level, and to say which entries were read. At the first doubt it gives up,
 * and nothing has happened; the walker (walker.ts), which knows every rule, begins again from the top.
 *
 * For hardware walks of 8-byte entries with 9 index bits. Tables in host-physical memory are walked without loops and calls,
 * level by level, with the checks at the end: so nothing is loaded twice, and what was read by mistake is forgotten.
 */
import { Kind } from '../journal/events';
import { ROW_WORDS } from '../journal/journal';
import { FRAME_HIGH, FRAME_LOW, NX_HIGH, Pte } from './entries';
import type { Format } from './formats';
import { ACCESS_RIGHTS_MASK, HOST_ALL, Rights } from './permissions';
import { Walk } from './stage';
import { FAR, WalkerState } from './walker-state';

/** R/W and U/S, or R, W, X. */
const EVERY_RIGHT = Pte.present | Pte.writable | Pte.user;
/** One paging level less, in the first word of a row. */
const LEVEL = 1 << 12;
/** Entries that a walk reads, at most: 5 levels behind 5 levels. */
const MOST_READS = 35;

export abstract class QuickWalker extends WalkerState {
  /** Walk, if {@link descend} can; false: nothing has happened. */
  protected quickWalk(lo: number, hi: number, access: number): boolean {
    const { behind } = this;
    const { journal } = this.memory;
    if (journal.on === true && !journal.reserve(MOST_READS)) return false;
    return behind === null ? this.descend(lo, hi, access) : this.descendThrough(behind, lo, hi, access);
  }

  /** Walk tables that lie in host-physical memory. The journal has room. */
  descend(lo: number, hi: number, access: number): boolean {
    const { format, memory } = this;
    const { words, near, nearMask, journal } = memory;
    const { on, words: rows } = journal;
    const start = journal.length;
    if ((hi & this.beyond) !== 0) return false;
    const top = format.levels === 5 ? this.fifth(hi) : this.rootFrame;
    // Also when it is negative.
    if ((top & ~nearMask) !== 0) return false;
    let row = (journal.length * ROW_WORDS) | 0;
    let head = on === true ? journal.head(Kind.table_read, 4, this.stageNumber) : 0;

    let index = (hi >>> 6) & 0x3fe;
    let at = (near[top] + index) | 0;
    let entry = words[at];
    let entryHi = words[(at + 1) | 0];
    if (on === true) this.noteEntry(rows, row, head, at, (top << 12) | (index << 2), top >>> 20, entry, entryHi);
    // AND and OR of all entries; of those that are no leaf.
    let all = entry;
    let upper = entry;
    let any = entryHi;

    index = ((lo >>> 29) | (hi << 3)) & 0x3fe;
    at = (near[((entryHi << 20) | (entry >>> 12)) & nearMask] + index) | 0;
    let tableLo = entry & FRAME_LOW;
    let tableHi = entryHi & FRAME_HIGH;
    entry = words[at];
    entryHi = words[(at + 1) | 0];
    if (on === true) this.noteEntry(rows, (row += ROW_WORDS), (head -= LEVEL), at, tableLo | (index << 2), tableHi, entry, entryHi);
    all &= entry;
    let level = 3;
    if ((entry & Pte.large) === 0) {
      upper |= entry;
      any |= entryHi;
      index = (lo >>> 20) & 0x3fe;
      at = (near[((entryHi << 20) | (entry >>> 12)) & nearMask] + index) | 0;
      tableLo = entry & FRAME_LOW;
      tableHi = entryHi & FRAME_HIGH;
      entry = words[at];
      entryHi = words[(at + 1) | 0];
      if (on === true) this.noteEntry(rows, (row += ROW_WORDS), (head -= LEVEL), at, tableLo | (index << 2), tableHi, entry, entryHi);
      all &= entry;
      level = 2;
      if ((entry & Pte.large) === 0) {
        upper |= entry;
        any |= entryHi;
        index = (lo >>> 11) & 0x3fe;
        at = (near[((entryHi << 20) | (entry >>> 12)) & nearMask] + index) | 0;
        tableLo = entry & FRAME_LOW;
        tableHi = entryHi & FRAME_HIGH;
        entry = words[at];
        entryHi = words[(at + 1) | 0];
        if (on === true) this.noteEntry(rows, (row += ROW_WORDS), head - LEVEL, at, tableLo | (index << 2), tableHi, entry, entryHi);
        all &= entry;
        level = 1;
      }
    }

    const frames = (any << 20) | (upper >>> 12);
    const far = (any & FAR) | (frames & ~nearMask);
    any |= entryHi;
    const doubt =
      (~all & format.needed) | (upper & format.doubtfulLo) | (entry & format.doubtfulLeaf[level]) | far | (any & format.doubtfulHi);
    const rights = this.settled(format, entry, all, any, access);
    if ((doubt | (rights >> 31)) !== 0) {
      journal.length = start;
      return false;
    }
    if (on === true) journal.length = row / ROW_WORDS + 1;
    const offset = (1 << (level * 9 + 3)) - 1;
    this.hostLo = (entry & FRAME_LOW & ~offset) | (lo & offset);
    this.hostHi = entryHi & FRAME_HIGH;
    this.rights = rights;
    this.leafLo = entry;
    this.leafHi = entryHi;
    this.level = level;
    this.references += format.levels - level + 1;
    this.status = Walk.ok;
    return true;
  }

  /** Walk tables that lie in the memory that the walker behind maps. */
  private descendThrough(behind: WalkerState, lo: number, hi: number, access: number): boolean {
    const { format, memory } = this;
    const { journal } = memory;
    const { levels } = format;
    const { references, tableAccess } = behind;
    const start = journal.length;
    const page = (lo >>> 9) | (hi << 23);
    let tableLo = this.rootLo;
    let tableHi = this.rootHi;
    let all = -1;
    let any = 0;
    for (let level = levels; ; level--) {
      const placeLo = tableLo | ((level > 3 ? hi >>> (level * 9) : page >>> (level * 9 - 9)) & 0xff8);
      if (!behind.descend(placeLo, tableHi, tableAccess)) break;
      const { words, near, nearMask } = memory;
      const { hostLo, hostHi } = behind;
      const frame = (hostHi << 20) | (hostLo >>> 12);
      if (((frame & ~nearMask) | (hostHi & FAR)) !== 0) break;
      const at = (near[frame & nearMask] + ((hostLo >>> 2) & 0x3fe)) | 0;
      const entry = words[at];
      const entryHi = words[(at + 1) | 0];
      if (journal.on === true) {
        const head = journal.head(Kind.table_read, level, this.stageNumber);
        this.noteEntry(journal.words, journal.length * ROW_WORDS, head, at, placeLo, tableHi, entry, entryHi);
        journal.length++;
      }
      if ((entryHi & format.doubtfulHi) !== 0) break;
      all &= entry;
      any |= entryHi;
      tableLo = entry & FRAME_LOW;
      tableHi = entryHi & FRAME_HIGH;
      if (level !== 1 && (entry & Pte.large) === 0) {
        if ((entry & format.doubtfulLo) !== 0) break;
        continue;
      }

      const doubt = (~all & format.needed) | (entry & format.doubtfulLeaf[level]);
      const rights = this.settled(format, entry, all, any, access);
      if ((doubt | (rights >> 31)) !== 0) break;
      const offset = (1 << (level * 9 + 3)) - 1;
      const outLo = (tableLo & ~offset) | (lo & offset);
      if (!behind.descend(outLo, tableHi, access)) break;
      this.stageLo = outLo;
      this.stageHi = tableHi;
      this.hostLo = behind.hostLo;
      this.hostHi = behind.hostHi;
      this.rights = rights & (behind.hostRights | ~(HOST_ALL | Rights.dirty));
      this.leafLo = entry;
      this.leafHi = entryHi;
      this.level = level;
      this.references += levels - level + 1;
      this.status = Walk.ok;
      return true;
    }
    journal.length = start;
    behind.references = references;
    return false;
  }

  /** Frame of the level 4 table; -1: the level 5 entry has to be looked at closely. */
  private fifth(hi: number): number {
    const { format, memory, rootFrame } = this;
    const { words, near, nearMask, journal } = memory;
    if (rootFrame < 0) return -1;
    const index = (hi >>> 15) & 0x3fe;
    const at = near[rootFrame & nearMask] + index;
    const entry = words[at];
    const entryHi = words[at + 1];
    const frame = (entryHi << 20) | (entry >>> 12);
    const doubt =
      (~entry & (format.needed | EVERY_RIGHT)) |
      (entry & format.doubtfulLo) |
      (entryHi & (FAR | NX_HIGH | format.doubtfulHi)) |
      ((rootFrame | frame) & ~nearMask);
    if (doubt !== 0) return -1;
    if (journal.on) {
      memory.markTable(at);
      journal.row(Kind.table_read, 5, this.stageNumber, this.rootLo | (index << 2), this.rootHi, entry, entryHi);
    }
    return frame;
  }

  /** A table_read row, at a place that has room. */
  private noteEntry(
    rows: Int32Array,
    row: number,
    head: number,
    at: number,
    placeLo: number,
    placeHi: number,
    entry: number,
    entryHi: number,
  ): void {
    this.memory.tables[at >>> 10] = 1;
    rows[row] = head;
    rows[(row + 1) | 0] = placeLo;
    rows[(row + 2) | 0] = placeHi;
    rows[(row + 3) | 0] = entry;
    rows[(row + 4) | 0] = entryHi;
  }

  /** {@link Rights} of well-formed entries when the access is allowed as it stands; else -1. */
  private settled(format: Format, entry: number, all: number, any: number, access: number): number {
    if (((format.badTypes >>> ((entry >>> 3) & 7)) & 1) !== 0) return -1;
    const rights = this.rightsOf(all, any) | ((entry & format.dirty) === format.dirty ? Rights.dirty : 0);
    return this.permitted[((this.effective(access) & ACCESS_RIGHTS_MASK) << 7) | rights] === 0 ? -1 : rights;
  }
}
