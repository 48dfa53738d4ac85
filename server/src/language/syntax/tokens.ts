/** The tokens of a text: kinds and places side by side, in the order of the text. A token becomes an object when someone looks at it. */
import type { TokenType } from 'chevrotain';
import type { Range } from './tree';
import * as t from './vocabulary';

export * from './vocabulary';

export class Token {
  constructor(
    /** Index of its type; 0: there is none. */
    readonly kind: number,
    readonly image: string,
    readonly startOffset: number,
    /** Characters before it on its line, if it is the first there; otherwise -1. */
    readonly column: number,
  ) {}

  get tokenType(): TokenType {
    return t.typeAt(this.kind);
  }
}

/** Stands behind the last token. */
export const END = new Token(0, '', NaN, -1);

export function rangeOf({ startOffset, image }: Token): Range {
  return { start: startOffset, end: startOffset + image.length };
}

/** Places behind the last token that can be looked at. */
const AHEAD = 8;

export class TokenList implements Iterable<Token> {
  count = 0;
  kinds: Uint16Array;
  starts: Uint32Array;
  ends: Uint32Array;
  /** As {@link Token.column}. */
  columns: Int32Array;

  constructor(readonly text: string) {
    const room = (text.length >> 2) + 16;
    this.kinds = new Uint16Array(room);
    this.starts = new Uint32Array(room);
    this.ends = new Uint32Array(room);
    this.columns = new Int32Array(room).fill(-1);
  }

  push(kind: number, start: number, end: number, column: number): void {
    const { count } = this;
    if (count + AHEAD >= this.kinds.length) this.grow();
    this.kinds[count] = kind;
    this.starts[count] = start;
    this.ends[count] = end;
    this.columns[count] = column;
    this.count++;
  }

  private grow(): void {
    const room = 2 * this.kinds.length;
    const { kinds, starts, ends, columns } = this;
    (this.kinds = new Uint16Array(room)).set(kinds);
    (this.starts = new Uint32Array(room)).set(starts);
    (this.ends = new Uint32Array(room)).set(ends);
    (this.columns = new Int32Array(room).fill(-1)).set(columns);
  }

  at(index: number): Token {
    if (index < 0 || index >= this.count) return END;
    const kind = this.kinds[index]!;
    const start = this.starts[index]!;
    return new Token(kind, t.textAt(kind) ?? this.text.slice(start, this.ends[index]), start, this.columns[index]!);
  }

  *[Symbol.iterator](): Generator<Token> {
    for (let index = 0; index < this.count; index++) yield this.at(index);
  }
}
