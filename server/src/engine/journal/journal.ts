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
 *
 * A change belongs to the event before it: whoever changes state writes an event of its own first, and which spaces an event may
 * change is part of its definition ({@link misplaced}). Where others write events in between, {@link Journal.dueTo} and
 * {@link Journal.goesOn} say whose changes come next.
 */
import { high, join, low } from '../bits';
import { Actor, Kind } from './events';
import type { Space } from './spaces';

export const ROW_WORDS = 5;

export class Journal {
  /** Recording switch; when off, nothing is written and the cost is one branch. */
  on = true;
  /** Rows in use. */
  length = 0;
  /** Rows allowed; further rows are not kept and {@link full} becomes true, which ends the run (budget of events). */
  readonly limit: number;
  full = false;
  /** Length at which {@link due} is to be written before a change. */
  private dueAt = -1;
  private due: () => void = () => undefined;
  /** What is due is no event of its own, but one that goes on. */
  private dueGoesOn = false;
  /** What {@link current} found, and how many rows it has looked at. */
  private lastEvent = -1;
  private lookedAt = 0;
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
    if (this.on !== true || (lo | hi) === 0) return;
    if (this.dueAt === this.length) this.writeDue();
    this.append(this.head(Kind.change, 0, space), low(key), high(key), lo, hi);
  }

  /**
   * What changes next is due to an event that is worth a row only if something changes: `write` writes it with the first change,
   * unless another event comes first.
   */
  dueTo(write: () => void): void {
    if (this.on !== true) return;
    this.due = write;
    this.dueAt = this.length;
    this.dueGoesOn = false;
  }

  /** The event that is due is written now: what it changes, it changes by events of others, as a hypervisor in a guest does by its stores. */
  begin(): void {
    if (this.dueAt === this.length && !this.dueGoesOn) this.writeDue();
  }

  /** Rows of others come in between: afterwards what was due is still due, and what changes belongs to the event that it did before. */
  interlude<T>(others: () => T): T {
    const { length, due, dueGoesOn, current } = this;
    const waits = this.dueAt === length;
    const result = others();
    if (this.length === length) return result;
    if (waits) {
      this.dueTo(due);
      this.dueGoesOn = dueGoesOn;
    } else if (current >= 0) this.goesOn(current);
    return result;
  }

  /**
   * What changes next is due to the event at a row, though others may have come since: then a row says so, with the first change.
   *
   * @param event row of the event
   */
  goesOn(event: number): void {
    if (this.on !== true || this.current === event) return;
    this.dueTo(() => this.row(Kind.continued, 0, 0, low(event), high(event), 0, 0));
    this.dueGoesOn = true;
  }

  /** Row of the event that a change would belong to now; -1: there was none. */
  get current(): number {
    const { words, length } = this;
    // Rows do not change: those that were looked at before need no second look.
    const known = this.lookedAt <= length ? this.lookedAt : 0;
    let at = length - 1;
    while (at >= known && (words[at * ROW_WORDS] & 0xff) <= Kind.change) at--;
    if (at >= known) this.lastEvent = this.begun(at);
    else if (known === 0) this.lastEvent = -1;
    this.lookedAt = length;
    return this.lastEvent;
  }

  /** The event that an event row stands for: itself, or the one that goes on there. */
  private begun(row: number): number {
    const at = row * ROW_WORDS;
    return (this.words[at] & 0xff) === Kind.continued ? join(this.words[at + 1], this.words[at + 2]) : row;
  }

  private writeDue(): void {
    this.dueAt = -1;
    this.due();
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
