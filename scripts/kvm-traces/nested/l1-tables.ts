/**
 * The tables that a recorded L1 keeps for its guest: nested ones, or shadow tables. Each load and store goes through the linear
 * map of L1's kernel, 8 bytes at a time.
 */
import type { Act } from '../../../server/src/engine/program';
import type { Result } from '../../../server/src/engine/result';
import { GUEST } from '../scenario';
import type { NestedSetup } from './setup';

const LINEAR = 0xffff_ffff_8000_0000n;
const PAGE = 4096n;
export const FRAME = 0x000f_ffff_ffff_f000n;
const PRESENT = 1n;
const WRITABLE = 2n;
const USER = 4n;
const ACCESSED = 0x20n;
const DIRTY = 0x40n;
const LARGE = 0x80n;

/** How L1 makes entries that lead to tables, and by which bits it knows that an entry is there. */
export interface TableFormat {
  readonly flags: bigint;
  readonly present: bigint;
}

/** Shadow tables, and nested tables of an AMD processor: present, writable, user. */
export const PLAIN_TABLES: TableFormat = { flags: 7n, present: PRESENT };

export class L1Tables {
  private readonly ramBase: bigint;
  private pool: bigint;

  constructor(
    setup: NestedSetup,
    private readonly format: TableFormat,
    private readonly perform: (act: Act) => Result,
  ) {
    this.ramBase = BigInt(setup.ramBase);
    this.pool = BigInt(setup.tablePool);
  }

  /** A nested entry for a physical address of L2: a leaf of level 1, or 2. */
  mapNested(root: bigint, gpa: bigint, flags: bigint, level: 1 | 2 = 1): void {
    const leaf = this.descend(root, gpa, level);
    const offset = level === 1 ? PAGE - 1n : 512n * PAGE - 1n;
    this.store(leaf, ((gpa & FRAME & ~offset) + this.ramBase) | flags | (level === 2 ? LARGE : 0n));
  }

  /**
   * The shadow entry for an address of L2.
   *
   * @param error code of L2's #PF
   * @returns false: the fault is L2's own
   */
  mapShadow(shadowRoot: bigint, l2Cr3: bigint, va: bigint, error: bigint): boolean {
    const write = (error & WRITABLE) !== 0n;
    const user = (error & USER) !== 0n;
    const way = this.walk(l2Cr3, va);
    if (way === null) return false;
    let rights = WRITABLE | USER;
    for (const { at, entry } of way) {
      if ((entry & ACCESSED) === 0n) this.store(at, entry | ACCESSED);
      rights &= entry;
    }
    if ((write && (rights & WRITABLE) === 0n) || (user && (rights & USER) === 0n)) return false;
    const leaf = this.descend(shadowRoot, va, 1);
    const again = this.walk(l2Cr3, va);
    if (again === null) return false;
    const last = again[again.length - 1];
    let { entry } = last;
    if (write && (entry & DIRTY) === 0n) {
      entry |= DIRTY;
      this.store(last.at, entry);
    }
    if ((entry & DIRTY) === 0n) rights &= ~WRITABLE;
    this.store(leaf, ((entry & FRAME) + this.ramBase) | PRESENT | rights);
    return true;
  }

  /** The shadow entry for an address goes, where there is a table for it. */
  clearShadow(shadowRoot: bigint, va: bigint): void {
    let table = shadowRoot & FRAME;
    for (let level = 4n; level > 1n; level--) {
      const entry = this.load(table + index(va, level) * 8n);
      if ((entry & PRESENT) === 0n) return;
      table = entry & FRAME;
    }
    this.store(table + index(va, 1n) * 8n, 0n);
  }

  /** A page of the pool, filled with zeros. */
  newTable(): bigint {
    const table = this.pool;
    this.pool += PAGE;
    for (let offset = 0n; offset < PAGE; offset += 8n) this.store(table + offset, 0n);
    return table;
  }

  load(gpa: bigint): bigint {
    const result = this.perform(access('read', gpa, null));
    return result.kind === 'ok' || result.kind === 'mmio' ? (result.value ?? 0n) : 0n;
  }

  store(gpa: bigint, value: bigint): void {
    this.perform(access('write', gpa, value));
  }

  /** L2's own four entries for an address, read in L2's memory; null: one is not present. */
  private walk(l2Cr3: bigint, va: bigint): { readonly at: bigint; readonly entry: bigint }[] | null {
    const way: { at: bigint; entry: bigint }[] = [];
    let table = l2Cr3 & FRAME;
    for (let level = 4n; level >= 1n; level--) {
      const at = table + this.ramBase + index(va, level) * 8n;
      const entry = this.load(at);
      if ((entry & PRESENT) === 0n) return null;
      way.push({ at, entry });
      table = entry & FRAME;
    }
    return way;
  }

  /** Address of the entry of a level for an address in tables of L1's; those that are missing above are made. */
  private descend(root: bigint, address: bigint, to: 1 | 2): bigint {
    let table = root & FRAME;
    for (let level = 4n; level > BigInt(to); level--) {
      const at = table + index(address, level) * 8n;
      let entry = this.load(at);
      if ((entry & this.format.present) === 0n) {
        entry = this.newTable() | this.format.flags;
        this.store(at, entry);
      }
      table = entry & FRAME;
    }
    return table + index(address, BigInt(to)) * 8n;
  }
}

function access(kind: 'read' | 'write', gpa: bigint, value: bigint | null): Act {
  const how = { user: false, implicit: false, ac: null, size: 8, count: 1, stride: 0n, handler: null } as const;
  return { do: 'access', origin: 0, by: GUEST, access: kind, address: LINEAR + gpa, value, ...how };
}

function index(address: bigint, level: bigint): bigint {
  return (address >> (3n + 9n * level)) & 511n;
}
