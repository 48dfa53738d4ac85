/**
 * A set-associative array of cached translations, true LRU in a set. The parts of the TLB and the paging-structure caches are
 * such arrays. Every change of a line is a journal row, {@link Space.tlb}.
 *
 * A line has
 *
 *   key     two words
 *             bits 31:12 page address (0 above the page size), 11:10 {@link PageClass}, 9:0 tag (0: the line is empty)
 *             bits 63:32 of the page address
 *   value   two words
 *             bits 31:12 host-physical frame, 7 global, 6:0 `Rights`
 *             bits 19:0 address bits 51:32 of the frame, 23:20 protection key, 25:24 class of the guest's own page
 *   used    one word: when last used
 *   verified  one word: `PhysicalMemory.tableEpoch` at which the line was last found to be what memory says
 *   origin  two words: guest-physical address of the page
 *
 * Used, verified and origin change no translation and are not journalled. A small array has key, value and used of a line together, a
 * large one has all keys, all values and so on together: a set is looked through with little memory touched.
 */
import type { Structure } from '../journal/enumerations';
import type { Journal } from '../journal/journal';
import { Space, SPACES } from '../journal/spaces';
import { join } from '../bits';

export const TAG_MASK = 0x3ff;
export const GLOBAL_LINE = 1 << 7;
export const RIGHTS_MASK = 0x7f;
const CLASS_SHIFT = 10;
/** Words of a line of a small array: those of {@link Word}. */
export const LINE = 8;
export const LINE_SHIFT = 3;
export enum Word {
  key = 0,
  value = 2,
  used = 4,
  /** Bit n: an access of kind n (permissions.ts:accessMasks) is served by the line as it stands. */
  allows = 5,
  verified = 6,
}

/** Ways that processor.ts:access looks at; as many empty lines follow the last one of a small array. */
export const QUICK_WAYS = 4;

/** Size of the page that a line maps. 4 MiB pages take two lines of 2 MiB. */
export enum PageClass {
  page4K = 0,
  page2M = 1,
  page1G = 2,
}
export const CLASS_SHIFTS: readonly number[] = [12, 21, 30];

/** Fields of a line in {@link Space.tlb} keys. */
export enum LineField {
  key = 0,
  value = 1,
}

const LINE_STEP = SPACES[Space.tlb].key.step.line;

export class TlbArray {
  readonly words: Int32Array;
  readonly lines: number;
  /** Lines in use. */
  used = 0;
  /** Bit n: a line of {@link PageClass} n may be in use. */
  classes = 0;
  /** The last `used` given. */
  clock = 0;
  /** What `find` did not find, as long as nothing was put; 0: nothing such. */
  private absent = 0;
  private absentHi = 0;
  /** What lines of some rights allow (permissions.ts:accessMasks); null: nobody asks. */
  private masks: Int32Array | null = null;

  /** Key of the first line in {@link Space.tlb}. */
  readonly keys: number;
  // Where a line's words are: from here on, at its number shifted so far.
  private readonly keyShift: number;
  private readonly valueAt: number;
  private readonly valueShift: number;
  private readonly usedAt: number;
  private readonly usedShift: number;
  private readonly verifiedAt: number;
  private readonly verifiedShift: number;
  private readonly originAt: number;

  /**
   * @param processor whose array it is
   * @param first number of its first line
   * @param sets a power of two
   * @param together a line's words are side by side
   */
  constructor(
    private readonly journal: Journal,
    processor: number,
    first: number,
    readonly sets: number,
    readonly ways: number,
    together = false,
  ) {
    this.lines = sets * ways;
    this.keys = SPACES[Space.tlb].key.encode({ processor, line: first, field: 0 });
    this.keyShift = together ? 3 : 1;
    this.valueAt = together ? Word.value : this.lines * 2;
    this.valueShift = together ? 3 : 1;
    this.usedAt = together ? Word.used : this.lines * 4;
    this.usedShift = together ? 3 : 0;
    this.verifiedAt = together ? Word.verified : this.lines * 5;
    this.verifiedShift = together ? 3 : 0;
    this.originAt = together ? (this.lines + QUICK_WAYS) * LINE : this.lines * 6;
    this.words = new Int32Array(this.originAt + this.lines * 2);
  }

  /** First line of the set of a page, by the low bits of its page number. */
  setOf(lo: number, hi: number, shift: number): number {
    return Math.imul(((lo >>> shift) | (hi << (32 - shift))) & (this.sets - 1), this.ways);
  }

  /** The line of a set with this key; -1 when there is none. */
  find(set: number, key: number, keyHi: number): number {
    const { words, keyShift } = this;
    const step = 1 << keyShift;
    const end = (set + this.ways) << keyShift;
    for (let at = set << keyShift; at < end; at = (at + step) | 0) {
      if (words[at] === key && words[(at + 1) | 0] === keyHi) return at >> keyShift;
    }
    this.absent = key;
    this.absentHi = keyHi;
    return -1;
  }

  /** First key word of a line. */
  key(line: number): number {
    return this.words[line << this.keyShift];
  }

  keyHi(line: number): number {
    return this.words[((line << this.keyShift) + 1) | 0];
  }

  /** First value word of a line. */
  frame(line: number): number {
    return this.words[(this.valueAt + (line << this.valueShift)) | 0];
  }

  frameHi(line: number): number {
    return this.words[(this.valueAt + (line << this.valueShift) + 1) | 0];
  }

  /** The line was used. */
  touch(line: number): void {
    this.words[(this.usedAt + (line << this.usedShift)) | 0] = this.clock = (this.clock + 1) | 0;
  }

  /** From now on the lines say which accesses they allow, by these masks; of an array whose words are together. */
  setMasks(masks: Int32Array): void {
    if (this.masks === masks) return;
    this.masks = masks;
    for (let line = 0; line < this.lines; line++) this.words[line * LINE + Word.allows] = masks[this.frame(line) & RIGHTS_MASK];
  }

  /** Put a line in its set, over the one with the same key or the least recently used; returns it. */
  put(set: number, key: number, keyHi: number, frame: number, frameHi: number): number {
    let line = key === this.absent && keyHi === this.absentHi ? -1 : this.find(set, key, keyHi);
    this.absent = 0;
    if (line < 0) {
      line = this.oldest(set);
      if (this.key(line) === 0) this.used++;
      this.classes |= 1 << ((key >>> CLASS_SHIFT) & 3);
    }
    this.change(line, key, keyHi, frame, frameHi);
    if (this.masks !== null) this.words[((line << 3) + Word.allows) | 0] = this.masks[frame & RIGHTS_MASK];
    this.touch(line);
    return line;
  }

  /** Guest-physical address of the page of a line that was just put; nothing is known yet of whether it is stale. */
  note(line: number, originLo: number, originHi: number): void {
    const { words } = this;
    const at = (this.originAt + (line << 1)) | 0;
    words[at] = originLo;
    words[(at + 1) | 0] = originHi;
    this.setVerified(line, 0);
  }

  originLo(line: number): number {
    return this.words[(this.originAt + (line << 1)) | 0];
  }

  originHi(line: number): number {
    return this.words[(this.originAt + (line << 1) + 1) | 0];
  }

  /** Was the line found to be what memory says at this epoch? */
  isVerified(line: number, epoch: number): boolean {
    return this.words[(this.verifiedAt + (line << this.verifiedShift)) | 0] === epoch;
  }

  setVerified(line: number, epoch: number): void {
    this.words[(this.verifiedAt + (line << this.verifiedShift)) | 0] = epoch;
  }

  /** A line of an array that is empty, as a state has it. Which line was used when, and for which guest-physical page, no state says. */
  restore(line: number, key: number, keyHi: number, frame: number, frameHi: number): void {
    const at = line << this.keyShift;
    const value = this.valueAt + (line << this.valueShift);
    this.words[at] = key;
    this.words[at + 1] = keyHi;
    this.words[value] = frame;
    this.words[value + 1] = frameHi;
    if (this.masks !== null) this.words[(line << 3) + Word.allows] = this.masks[frame & RIGHTS_MASK];
    this.touch(line);
    this.used++;
    this.classes |= 1 << keyClass(key);
  }

  /** Empty a line, which is in use. */
  drop(line: number): void {
    this.change(line, 0, 0, 0, 0);
    this.words[this.usedAt + (line << this.usedShift)] = 0;
    this.used--;
    if (this.used === 0) this.classes = 0;
  }

  /** The least recently used line of a set. Without branches on what is as good as random. */
  private oldest(set: number): number {
    const { words, usedShift } = this;
    const step = 1 << usedShift;
    const first = (this.usedAt + (set << usedShift)) | 0;
    const end = (first + (this.ways << usedShift)) | 0;
    let oldest = first;
    let least = words[first];
    for (let at = (first + step) | 0; at < end; at = (at + step) | 0) {
      const less = (words[at] - least) | 0;
      const taken = less >> 31;
      least = (least + (less & taken)) | 0;
      oldest = (oldest + ((at - oldest) & taken)) | 0;
    }
    return (oldest - this.usedAt) >> usedShift;
  }

  private change(line: number, key: number, keyHi: number, frame: number, frameHi: number): void {
    const { words } = this;
    const at = line << this.keyShift;
    const value = (this.valueAt + (line << this.valueShift)) | 0;
    if (this.journal.on) {
      this.journalled(line, LineField.key, words[at] ^ key, words[at + 1] ^ keyHi);
      this.journalled(line, LineField.value, words[value] ^ frame, words[value + 1] ^ frameHi);
    }
    words[at] = key;
    words[(at + 1) | 0] = keyHi;
    words[value] = frame;
    words[(value + 1) | 0] = frameHi;
  }

  private journalled(line: number, field: LineField, lo: number, hi: number): void {
    if ((lo | hi) !== 0) this.journal.change(Space.tlb, this.keys + line * LINE_STEP + field, lo, hi);
  }
}

/** Key word of a page of a class under a tag. */
export function lineKey(lo: number, pageClass: PageClass, tag: number): number {
  const shift = pageClass === PageClass.page4K ? 12 : pageClass === PageClass.page2M ? 21 : 30;
  return ((lo >>> shift) << shift) | (pageClass << CLASS_SHIFT) | tag;
}

/** First word's fields of a tlb_hit row. */
export function hitBy(structure: Structure, tag: number): number {
  return structure | (tag << 3);
}

/** Class of the page of a key word. */
export function keyClass(key: number): PageClass {
  return (key >>> CLASS_SHIFT) & 3;
}

/** Class of the largest line for pages of 2^shift bytes. */
export function classOf(shift: number): PageClass {
  return shift >= 30 ? PageClass.page1G : shift >= 21 ? PageClass.page2M : PageClass.page4K;
}

/** A line as people read it. */
export interface TlbLine {
  readonly page: bigint;
  readonly pageClass: PageClass;
  readonly tag: number;
  readonly frame: number;
  /** `Rights` bits. */
  readonly rights: number;
  readonly global: boolean;
  readonly protectionKey: number;
}

/** Decode a line's two journalled values; null when it is empty. */
export function decodeLine(key: number, keyHi: number, frame: number, frameHi: number): TlbLine | null {
  if ((key & TAG_MASK) === 0) return null;
  return {
    page: (BigInt(keyHi >>> 0) << 32n) | BigInt((key & 0xfffff000) >>> 0),
    pageClass: keyClass(key),
    tag: key & TAG_MASK,
    frame: join(frame & 0xfffff000, frameHi & 0xfffff),
    rights: frame & RIGHTS_MASK,
    global: (frame & GLOBAL_LINE) !== 0,
    protectionKey: (frameHi >>> 20) & 15,
  };
}
