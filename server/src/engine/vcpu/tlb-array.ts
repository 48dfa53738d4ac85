/**
 * A set-associative array of cached translations, true LRU in a set, one interleaved Int32Array. The parts of the TLB and the
 * paging-structure caches are such arrays. Every change of a line is a journal row, {@link Space.tlb}.
 *
 * A line's words:
 *   key     bits 31:12 page address (0 above the page size), 11:10 {@link PageClass}, 9:0 tag (0: the line is empty)
 *   keyHi   bits 63:32 of the page address
 *   frame   bits 31:12 host-physical frame, 7 global, 6:0 `Rights`
 *   frameHi bits 19:0 address bits 51:32, 23:20 protection key
 *   used    when last used; not journalled, since it changes no translation
 */
import { Kind, Space } from '../journal/events';
import type { Journal } from '../journal/journal';
import { join, low, high } from '../bits';

/** Words a line. */
export const LINE = 5;
export enum Word {
  key,
  keyHi,
  frame,
  frameHi,
  used,
}
export const TAG_MASK = 0x3ff;
export const GLOBAL_LINE = 1 << 7;
export const RIGHTS_MASK = 0x7f;
const CLASS_SHIFT = 10;

/** Size of the page that a line maps. 4 MiB pages take two lines of 2 MiB. */
export enum PageClass {
  page4K = 0,
  page2M = 1,
  page1G = 2,
}
export const CLASS_SHIFTS: readonly number[] = [12, 21, 30];

/** Fields of a line in {@link Space.tlb} keys. */
export enum LineField {
  /** key and keyHi */
  key = 0,
  /** frame and frameHi */
  value = 1,
}

/** First of the keys of a processor's lines in {@link Space.tlb}; a line's keys are this + line * 8 + field. */
export function tlbKeys(processor: number): number {
  return processor * 0x100_0000;
}

export class TlbArray {
  readonly words: Int32Array;
  /** By line: guest-physical address of the mapped page, low and high half; not journalled. */
  readonly origins: Int32Array;
  /** By line: `PhysicalMemory.tableEpoch` at which the mapping was last found to be what memory says. */
  readonly verified: Float64Array;
  /** Lines in use. */
  used = 0;
  clock = 0;

  /**
   * @param keys first key of this array's lines in {@link Space.tlb}
   * @param sets a power of two
   */
  constructor(
    private readonly journal: Journal,
    readonly keys: number,
    readonly sets: number,
    readonly ways: number,
  ) {
    this.words = new Int32Array(sets * ways * LINE);
    this.origins = new Int32Array(sets * ways * 2);
    this.verified = new Float64Array(sets * ways);
  }

  get lines(): number {
    return this.sets * this.ways;
  }

  /** First word of the set of a page, by the low bits of its page number. */
  setOf(lo: number, hi: number, shift: number): number {
    return (((lo >>> shift) | (hi << (32 - shift))) & (this.sets - 1)) * this.ways * LINE;
  }

  /** First word of the line with this key; -1 when there is none. */
  find(set: number, key: number, keyHi: number): number {
    const { words } = this;
    for (let at = set, end = set + this.ways * LINE; at < end; at += LINE) {
      if (words[at] === key && words[at + Word.keyHi] === keyHi) return at;
    }
    return -1;
  }

  /** The line was used. */
  touch(at: number): void {
    this.words[at + Word.used] = this.clock = (this.clock + 1) | 0;
  }

  /** Put a line in its set, over the one with the same key or the least recently used; returns its first word. */
  put(set: number, key: number, keyHi: number, frame: number, frameHi: number): number {
    const { words } = this;
    let at = this.find(set, key, keyHi);
    if (at < 0) {
      at = set;
      for (let other = set + LINE, end = set + this.ways * LINE; other < end; other += LINE) {
        if (words[other + Word.used] < words[at + Word.used]) at = other;
      }
      if (words[at] === 0) this.used++;
    }
    this.change(at, key, keyHi, frame, frameHi);
    this.verified[at / LINE] = 0;
    this.touch(at);
    return at;
  }

  setOrigin(at: number, lo: number, hi: number): void {
    const line = (at / LINE) * 2;
    this.origins[line] = lo;
    this.origins[line + 1] = hi;
  }

  /** Empty the line at a word, which is in use. */
  drop(at: number): void {
    this.change(at, 0, 0, 0, 0);
    this.words[at + Word.used] = 0;
    this.used--;
  }

  private change(at: number, key: number, keyHi: number, frame: number, frameHi: number): void {
    const { words, journal } = this;
    if (journal.on) {
      this.note(at, LineField.key, words[at] ^ key, words[at + Word.keyHi] ^ keyHi);
      this.note(at, LineField.value, words[at + Word.frame] ^ frame, words[at + Word.frameHi] ^ frameHi);
    }
    words[at] = key;
    words[at + Word.keyHi] = keyHi;
    words[at + Word.frame] = frame;
    words[at + Word.frameHi] = frameHi;
  }

  private note(at: number, field: LineField, lo: number, hi: number): void {
    if ((lo | hi) === 0) return;
    const key = this.keys + (at / LINE) * 8 + field;
    this.journal.row(Kind.change, 0, Space.tlb, low(key), high(key), lo, hi);
  }
}

/** Key word of a page of a class under a tag. */
export function lineKey(lo: number, pageClass: PageClass, tag: number): number {
  const shift = CLASS_SHIFTS[pageClass];
  return ((lo >>> shift) << shift) | (pageClass << CLASS_SHIFT) | tag;
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
    pageClass: (key >>> CLASS_SHIFT) & 3,
    tag: key & TAG_MASK,
    frame: join(frame & 0xfffff000, frameHi & 0xfffff),
    rights: frame & RIGHTS_MASK,
    global: (frame & GLOBAL_LINE) !== 0,
    protectionKey: (frameHi >>> 20) & 15,
  };
}

/** Class of the largest line for pages of 2^shift bytes. */
export function classOf(shift: number): PageClass {
  return shift >= 30 ? PageClass.page1G : shift >= 21 ? PageClass.page2M : PageClass.page4K;
}
