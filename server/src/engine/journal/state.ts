/**
 * The state at any row of a journal, forwards and backwards.
 *
 * A state is the XOR of all change rows before a position; moving over a row in either direction applies the same XOR.
 * Moving costs the rows in between, so a reader that walks a trace keeps one State and seeks it.
 */
import { join } from '../bits';
import { Kind } from './events';
import { ROW_WORDS } from './journal';
import type { Space } from './spaces';

export interface Rows {
  readonly words: Int32Array;
  readonly length: number;
}

/** Key/value words of one space. Absent keys are zero. */
export class WordMap {
  private readonly values = new Map<number, { lo: number; hi: number }>();

  lo(key: number): number {
    return this.values.get(key)?.lo ?? 0;
  }

  hi(key: number): number {
    return this.values.get(key)?.hi ?? 0;
  }

  /** Value as unsigned 64-bit. */
  get(key: number): bigint {
    const value = this.values.get(key);
    return value ? (BigInt(value.hi >>> 0) << 32n) | BigInt(value.lo >>> 0) : 0n;
  }

  toggle(key: number, lo: number, hi: number): void {
    const value = this.values.get(key);
    if (!value) this.values.set(key, { lo, hi });
    else if ((value.lo ^ lo) === 0 && (value.hi ^ hi) === 0) this.values.delete(key);
    else {
      value.lo ^= lo;
      value.hi ^= hi;
    }
  }

  /** Keys whose value is not zero, in no particular order. */
  keys(): IterableIterator<number> {
    return this.values.keys();
  }

  get size(): number {
    return this.values.size;
  }
}

/** Words of all spaces at some point of a run. */
export interface Spaces {
  space(space: Space): WordMap;
}

export class State implements Spaces {
  /** Rows before this position are applied. */
  position = 0;
  private readonly spaces = new Map<Space, WordMap>();

  constructor(private readonly rows: Rows) {}

  space(space: Space): WordMap {
    let words = this.spaces.get(space);
    if (!words) this.spaces.set(space, (words = new WordMap()));
    return words;
  }

  /** Move to the state just before row `position` (0 … rows.length). */
  seek(position: number): this {
    const target = Math.max(0, Math.min(position, this.rows.length));
    while (this.position < target) this.apply(this.position++);
    while (this.position > target) this.apply(--this.position);
    return this;
  }

  private apply(row: number): void {
    const { words } = this.rows;
    if (!isChange(words, row)) return;
    const at = row * ROW_WORDS;
    this.space(spaceAt(words, row)).toggle(keyAt(words, row), words[at + 3], words[at + 4]);
  }
}

/** The row is a change of state. */
export function isChange(words: Int32Array, row: number): boolean {
  return (words[row * ROW_WORDS] & 0xff) === Kind.change;
}

/** Space of a change row. */
export function spaceAt(words: Int32Array, row: number): Space {
  return words[row * ROW_WORDS] >>> 16;
}

/** Key of a change row. */
export function keyAt(words: Int32Array, row: number): number {
  const at = row * ROW_WORDS;
  return join(words[at + 1], words[at + 2]);
}
