/** The tables by which linear and physical addresses are the same, in every paging mode (`identity` of schema 2). */

const PAGE = 4096;
/** Level-1 tables: one of 4-byte entries, two of 8-byte entries. */
const NARROW_TABLE = 0x2_1000;
const WIDE_TABLES = 0x2_3000;

export interface IdentityMap {
  /** Bytes from 0 on. */
  readonly size: number;
  readonly flags: bigint;
  /** Addresses of pages with other flags. */
  readonly user: readonly number[];
  readonly userFlags: bigint;
}

/** Aligned words of the level-1 tables. */
export function identityWords({ size, flags, user, userFlags }: IdentityMap): Map<number, bigint> {
  const words = new Map<number, bigint>();
  for (let page = 0; page < size / PAGE; page++) {
    const entry = BigInt(page * PAGE) | (user.includes(page * PAGE) ? userFlags : flags);
    words.set(WIDE_TABLES + page * 8, entry);
    setNarrow(words, NARROW_TABLE + page * 4, entry);
  }
  return words;
}

/** Puts 4 bytes into the aligned word around them. */
export function setNarrow(words: Map<number, bigint>, at: number, value: bigint): void {
  const word = at - (at % 8);
  const shift = BigInt((at % 8) * 8);
  words.set(word, ((words.get(word) ?? 0n) & ~(0xffff_ffffn << shift)) | ((value & 0xffff_ffffn) << shift));
}
