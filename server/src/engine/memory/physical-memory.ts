/**
 * Physical memory of the host: aligned 64-bit words, little-endian, all zero until written. Sparse: a frame takes space
 * from its first write on, and the whole is held to a budget.
 *
 * Structure, for the walker's sake: one arena of 32-bit halves, 1024 a frame, and a directory by frame number that says where
 * in it a frame begins. It is as long as the highest frame below 64 GiB asks for, mostly never touched; frames from there on
 * are in a map. Index 0 of the arena is a frame of zeros, which stands for all absent ones, so that a read needs no test.
 */
import { low, high } from '../bits';
import type { Journal } from '../journal/journal';
import { Space } from '../journal/spaces';

const FRAME_WORDS = 1024;
const FRAME_BYTES = 4096;
/** Frames below 64 GiB. */
export const NEAR_FRAMES = 1 << 24;
const FIRST_FRAMES = 64;
const FIRST_NEAR = 1 << 12;

/** Where frames that this memory has not got come from: see {@link PhysicalMemory.source}. */
interface FrameSource {
  /** Fill the 1024 halves at `at` with the frame's contents; false when it is all zero. */
  load(frame: number, words: Int32Array, at: number): boolean;
}

export class PhysicalMemory {
  /** The arena: halves of words, low before high. Replaced when it grows; indexes stay. */
  words = new Int32Array(FIRST_FRAMES * FRAME_WORDS);
  /** A write was refused for want of budget; the run ends. */
  exhausted = false;
  /** Changes of words in frames known as tables, besides accessed and dirty flags; see {@link markTable}. */
  tableEpoch = 1;
  /** Asked for frames that are absent here (a memory that shows another state); null: they are zero. */
  source: FrameSource | null = null;

  // Read by x86/quick-walk.ts, which cannot afford calls.
  /** By frame number: where in the arena the frame begins; 0: it is absent. Replaced when it grows. */
  near = new Int32Array(FIRST_NEAR);
  /** Bits of the frame numbers that {@link near} reaches. */
  nearMask = FIRST_NEAR - 1;
  private readonly far = new Map<number, number>();
  /** Frames of the arena, with the absent one. */
  private framesUsed = 1;
  /** Frame number by place in the arena. */
  private numbers = new Float64Array(FIRST_FRAMES);
  /** By place in the arena, 1: {@link markTable} was told of the frame. */
  tables = new Uint8Array(FIRST_FRAMES);
  private readonly tableWatchers: ((at: number, lo: number, hi: number) => void)[] = [];

  /**
   * @param journal change rows go here ({@link Space.memory}) while it is on
   * @param budget bytes of frames that may be written
   */
  constructor(
    readonly journal: Journal,
    readonly budget: number = 256 * 1024 * 1024,
  ) {}

  /** Bytes of frames in use. */
  get used(): number {
    return (this.framesUsed - 1) * FRAME_BYTES;
  }

  /**
   * Index in {@link words} of the low half of the aligned word at an address (`hi`: address bits 51:32). Absent memory
   * gives an index of zeros, below {@link FRAME_WORDS}, which nobody may write.
   */
  locate(lo: number, hi: number): number {
    const { near } = this;
    const number = (hi << 20) | (lo >>> 12);
    const frame = hi >>> 4 === 0 && number < near.length ? near[number] : this.farFrame(lo, hi);
    if (frame === 0 && this.source !== null) return this.fetch(lo, hi);
    return (frame + ((lo >>> 2) & 0x3fe)) | 0;
  }

  /** Low half of the aligned word at an address. */
  low(address: number): number {
    return this.words[this.locate(low(address), high(address))];
  }

  /** High half of the aligned word at an address. */
  high(address: number): number {
    return this.words[this.locate(low(address), high(address)) + 1];
  }

  /** Set the aligned word at an address (bits 2:0 are ignored). */
  write(address: number, valueLo: number, valueHi: number): void {
    const lo = low(address);
    const hi = high(address);
    const at = this.claim(lo, hi);
    if (at >= 0) this.writeAt(at, valueLo, valueHi);
  }

  /**
   * Set the word at an index that {@link claim} or {@link locate} gave. Journals the change, and counts it when the word
   * is part of a table.
   */
  writeAt(at: number, valueLo: number, valueHi: number): void {
    if (this.tables[at >>> 10] !== 0 && (this.words[at] !== valueLo || this.words[at + 1] !== valueHi)) {
      this.tableEpoch++;
      for (const told of this.tableWatchers) told(at, valueLo, valueHi);
    }
    this.toggle(at, this.words[at] ^ valueLo, this.words[at + 1] ^ valueHi);
  }

  /** Set bits in the word at an index: how accessed and dirty flags are set, which makes no translation stale. */
  setBits(at: number, lo: number, hi: number): void {
    this.toggle(at, lo & ~this.words[at], hi & ~this.words[at + 1]);
  }

  /** Part of a word: `size` 1, 2, 4 or 8 bytes at an address aligned to it; the value stands in the lowest bytes. */
  store(address: number, size: number, valueLo: number, valueHi: number): void {
    if (size === 8) return this.write(address, valueLo, valueHi);
    const at = this.claim(low(address), high(address));
    if (at < 0) return;
    const shift = (address & 3) * 8;
    const mask = size === 4 ? -1 : ((1 << (size * 8)) - 1) << shift;
    const upper = (address & 4) !== 0;
    const old = this.words[upper ? at + 1 : at];
    const value = (old & ~mask) | ((valueLo << shift) & mask);
    this.writeAt(at, upper ? this.words[at] : value, upper ? value : this.words[at + 1]);
  }

  /** Low 32 bits of the `size` bytes (1, 2, 4) at an address aligned to it, zero-extended into an int32. */
  load(address: number, size: number): number {
    const at = this.locate(low(address), high(address));
    const half = this.words[(address & 4) !== 0 ? at + 1 : at];
    return size >= 4 ? half : (half >>> ((address & 3) * 8)) & ((1 << (size * 8)) - 1);
  }

  /** As {@link locate}, and the frame is there afterwards. -1 when the budget is used up. */
  claim(lo: number, hi: number): number {
    const number = (hi & 0xfffff) * 0x10_0000 + (lo >>> 12);
    let frame = number < this.near.length ? this.near[number] : this.farFrame(lo, hi);
    if (frame === 0) {
      frame = this.addFrame(number);
      if (frame === 0) return -1;
      this.source?.load(number, this.words, frame);
    }
    return frame + ((lo >>> 2) & 0x3fe);
  }

  /** The frame of this word holds a table that translations were derived from: its changes can make them stale. */
  markTable(at: number): void {
    this.tables[at >>> 10] = 1;
  }

  /**
   * Calls before a word of a table changes as {@link tableEpoch} counts.
   *
   * @param told the word's index in {@link words}, and its new halves
   */
  onTableChange(told: (at: number, lo: number, hi: number) => void): void {
    this.tableWatchers.push(told);
  }

  /** Address of the word at an index, which must be of a frame that is there. */
  addressAt(at: number): number {
    return this.numbers[at >>> 10] * FRAME_BYTES + ((at & 1022) << 2);
  }

  /** Frame numbers in use, in order of first write. */
  *framesInUse(): IterableIterator<number> {
    for (let i = 1; i < this.framesUsed; i++) yield this.numbers[i];
  }

  private toggle(at: number, lo: number, hi: number): void {
    if ((lo | hi) === 0) return;
    const words = this.words;
    words[at] ^= lo;
    words[at + 1] ^= hi;
    if (this.journal.on) this.journal.change(Space.memory, this.addressAt(at), lo, hi);
  }

  /** Where a frame begins that the directory may not reach. */
  private farFrame(lo: number, hi: number): number {
    return this.far.get((hi & 0xfffff) * 0x10_0000 + (lo >>> 12)) ?? 0;
  }

  /** Where a new frame begins; 0 when there is no budget for it. */
  private addFrame(number: number): number {
    if (this.framesUsed * FRAME_BYTES > this.budget) {
      this.exhausted = true;
      return 0;
    }
    const at = this.framesUsed * FRAME_WORDS;
    if (at >= this.words.length) {
      // By an eighth once it is large: the arena is most of what a machine takes.
      const frames = this.framesUsed < 2048 ? this.framesUsed * 2 : this.framesUsed + (this.framesUsed >>> 3);
      this.words = enlarged(this.words, Int32Array, frames * FRAME_WORDS);
      this.numbers = enlarged(this.numbers, Float64Array, frames);
      this.tables = enlarged(this.tables, Uint8Array, frames);
    }
    this.numbers[this.framesUsed++] = number;
    if (number >= NEAR_FRAMES) this.far.set(number, at);
    else {
      if (number >= this.near.length) this.reach(number);
      this.near[number] = at;
    }
    return at;
  }

  /** Make the directory long enough for a frame; what was never touched of it stays so. */
  private reach(number: number): void {
    this.near = new Int32Array(1 << (32 - Math.clz32(number)));
    this.nearMask = this.near.length - 1;
    for (let i = 1; i < this.framesUsed; i++) if (this.numbers[i] < NEAR_FRAMES) this.near[this.numbers[i]] = i * FRAME_WORDS;
  }

  private fetch(lo: number, hi: number): number {
    const probe = this.probe;
    const number = (hi & 0xfffff) * 0x10_0000 + (lo >>> 12);
    if (!this.source!.load(number, probe, 0)) return (lo >>> 2) & 0x3fe;
    const at = this.claim(lo, hi);
    return at < 0 ? (lo >>> 2) & 0x3fe : at;
  }

  private readonly probe = new Int32Array(FRAME_WORDS);
}

function enlarged<T extends Int32Array | Float64Array | Uint8Array>(old: T, make: new (length: number) => T, length: number): T {
  const larger = new make(length);
  larger.set(old);
  return larger;
}
