/** Tables for tests: pages mapped one by one, tables taken from where there is room. */

export type Words = Map<bigint, bigint>;

const ADDRESS = 0xf_ffff_ffff_f000n;

/** Ordinary paging: present, writable, user. */
export const RWU = 7n;
export const GLOBAL = 1n << 8n;
export const LARGE = 1n << 7n;
export const EPT_RWX = 7n;
export const EPT_WB = 6n << 3n;

export interface MapOptions {
  /** Levels of the tables, 4 when not said. */
  levels?: number;
  /** 1, 2 or 3: 4K, 2M, 1G. */
  level?: number;
  /** Bits of the leaf besides its address. */
  flags?: bigint;
  /** Bits of the entries above. */
  upper?: bigint;
}

export class Tables {
  /**
   * @param room where further tables are put
   * @param place where a table of this space lies in host memory
   */
  constructor(
    readonly words: Words,
    readonly root: bigint,
    private room: bigint,
    private readonly place: (address: bigint) => bigint = (address) => address,
  ) {}

  /** Map the page around an address. */
  map(from: bigint, to: bigint, { levels = 4, level = 1, flags = RWU, upper = RWU }: MapOptions = {}): this {
    let table = this.root;
    for (let n = levels; n > level; n--) {
      const at = this.at(table, from, n);
      let entry = this.words.get(at);
      if (entry === undefined) {
        entry = this.room | upper;
        this.room += 0x1000n;
        this.words.set(at, entry);
      }
      table = entry & ADDRESS;
    }
    this.words.set(this.at(table, from, level), to | flags | (level > 1 ? LARGE : 0n));
    return this;
  }

  /** Host-physical address of the entry of a level on the way of an address. */
  entry(from: bigint, level: number, levels = 4): bigint {
    let table = this.root;
    for (let n = levels; n > level; n--) table = (this.words.get(this.at(table, from, n)) ?? 0n) & ADDRESS;
    return this.at(table, from, level);
  }

  private at(table: bigint, from: bigint, level: number): bigint {
    return this.place(table) + 8n * ((from >> BigInt(3 + 9 * level)) & 511n);
  }
}

/** EPT tables that map the first 2 MiB of guest memory in 4K pages (or one 2M or 1G page) at an offset, root at 256M. */
export function identityEpt(words: Words, offset: bigint, { levels = 4, level = 1, flags = EPT_RWX | EPT_WB }: MapOptions = {}): Tables {
  const tables = new Tables(words, 0x1000_0000n, 0x1000_1000n);
  if (level > 1) return tables.map(0n, offset, { levels, level, flags, upper: EPT_RWX });
  for (let page = 0n; page < 0x20_0000n; page += 0x1000n) tables.map(page, page + offset, { levels, flags, upper: EPT_RWX });
  return tables;
}
