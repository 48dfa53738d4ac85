/**
 * The journal: what the engine did, in order, as rows of five 32-bit words (20 bytes).
 *
 *   word 0   bits 7:0 kind, 11:8 actor, 15:12 paging level, 31:16 small
 *   word 1,2 first 64-bit slot, low and high half
 *   word 3,4 second 64-bit slot
 *
 * Every change of state is one row {@link Kind.change}: space (in `small`), key (spaces.ts), and the XOR of the old and the new
 * 64-bit value. XOR is its own inverse, so a state moves forwards and backwards over the same rows (see state.ts); everything
 * starts as zero, and what the scenario declares is written by rows too. So the journal alone is the whole truth of a run.
 */
import { high, low } from '../bits';
import { Actor, Kind } from './events';
import type { Space } from './spaces';

export const ROW_WORDS = 5;
export const ROW_BYTES = ROW_WORDS * 4;

export class Journal {
  /** Recording switch; when off, nothing is written and the cost is one branch. */
  on = true;
  /** Rows in use. */
  length = 0;
  /** Rows allowed; further rows are not kept and {@link full} becomes true, which ends the run (budget of events). */
  readonly limit: number;
  full = false;
  /** Actor of the rows that follow, shifted into place. */
  private actorBits = Actor.processor << 8;
  words: Int32Array;
  /** Rows that {@link words} has room for. */
  private room: number;

  constructor(limit = 4_000_000, initialRows = 1 << 12) {
    this.limit = limit;
    this.room = Math.min(initialRows, limit);
    this.words = new Int32Array(this.room * ROW_WORDS);
  }

  get actor(): Actor {
    return this.actorBits >> 8;
  }

  set actor(actor: Actor) {
    this.actorBits = actor << 8;
  }

  /** Append a row with both slots as halves. */
  row(kind: number, level: number, small: number, aLo: number, aHi: number, bLo: number, bHi: number): void {
    if (this.on === true) this.append(this.head(kind, level, small), aLo, aHi, bLo, bHi);
  }

  /** As {@link row}, of a journal that is on. The hot path's writer. */
  append(head: number, aLo: number, aHi: number, bLo: number, bHi: number): void {
    if (this.length === this.room && this.grow() === false) return;
    const { words } = this;
    const at = (this.length * ROW_WORDS) | 0;
    words[at] = head;
    words[(at + 1) | 0] = aLo;
    words[(at + 2) | 0] = aHi;
    words[(at + 3) | 0] = bLo;
    words[(at + 4) | 0] = bHi;
    this.length++;
  }

  /** A change of state: XOR of the old and the new value; no row when they are the same. */
  change(space: Space, key: number, lo: number, hi: number): void {
    if (this.on === true && (lo | hi) !== 0) this.append(this.head(Kind.change, 0, space), low(key), high(key), lo, hi);
  }

  /** First word of a row. */
  head(kind: number, level: number, small: number): number {
    return kind | this.actorBits | (level << 12) | (small << 16);
  }

  /** Make room for so many rows; false: the budget has not got it. */
  reserve(rows: number): boolean {
    const length = this.length + rows;
    if (length > this.limit) return false;
    while (length > this.room) this.grow();
    return true;
  }

  private grow(): boolean {
    if (this.room >= this.limit) {
      this.full = true;
      return false;
    }
    this.room = Math.min(this.room * 2, this.limit);
    const larger = new Int32Array(this.room * ROW_WORDS);
    larger.set(this.words);
    this.words = larger;
    return true;
  }
}
