/** Builds the paging structures of one `tables` in guest memory: raw entries, mappings, rights above, shares. */
import { PAGE_SIZE } from '../../../engine/bits';
import type { Node } from '../../syntax/tree';
import type { Named } from '../../semantics/scopes';
import { show } from '../../semantics/values';
import type { Env } from '../../semantics/values';
import type { Context } from '../context';
import type { TableAllocator } from './allocator';
import { frameMask, LARGE, plainEntry, presentMask } from './flags';
import { shiftOf, spanOf } from './format';
import type { Shape } from './format';
import type { MappingItem, RawItem, ShareItem, TablesItems, UpperItem } from './items';
import type { MemoryBuilder } from './memory';

/** Pages of tables that one VM can have (64M; they map 32G with 4K pages). */
const MOST_TABLES = 16384;

/** Whose a page of tables is, for problems. */
export type Owners = Map<number, { readonly tables: Named; readonly node: Node }>;

interface BuilderOptions {
  readonly context: Context;
  readonly named: Named;
  readonly shape: Shape;
  readonly root: number;
  readonly memory: MemoryBuilder;
  readonly allocator: TableAllocator;
  readonly owners: Owners;
  /** Guest memory is there (in a slot). */
  hasMemory(gpa: number): boolean;
}

interface Entry {
  /** Guest-physical address of the entry. */
  readonly at: number;
  readonly table: number;
}

export class TablesBuilder {
  /** Tables by level and the part of the address above it. */
  private readonly tables = new Map<string, number>();
  /** Raw entries by their address. */
  private readonly raw = new Map<number, RawItem>();
  private last: number;
  private full = false;
  private readonly used = new Set<UpperItem>();

  constructor(private readonly options: BuilderOptions) {
    this.last = options.root;
  }

  build(items: TablesItems): void {
    const { named } = this.options;
    const { owners } = this.options;
    owners.set(Math.floor(this.options.root / PAGE_SIZE), { tables: named, node: named.definition });
    for (const { address, level, at, env, node } of items.placements) this.place(address, level, Number(at), env, node.at);
    for (const raw of [...items.raws].sort((a, b) => b.level - a.level)) this.writeRaw(raw, items);
    const overlapping = this.overlaps(items.mappings);
    for (const mapping of items.mappings) if (!overlapping.has(mapping)) this.map(mapping, items);
    for (const upper of items.uppers) {
      if (!this.used.has(upper))
        this.options.context.warn(
          upper.env,
          upper.node,
          'no-entry-here',
          `there is no entry of level ${upper.level} for this range: nothing below it is mapped`,
        );
    }
  }

  /** Entries of a level over a range are those of other tables, which are built already. */
  share({ from, last, level, node, env }: ShareItem, source: TablesBuilder, items: TablesItems): void {
    const { shape, memory, context } = this.options;
    const span = spanOf(shape, level);
    const size = shape.entryBytes;
    for (let address = from - (from % span); address <= last; address += span) {
      const theirs = source.find(address, level);
      if (!theirs) {
        const missing = source.missingSpan(address, level);
        address += missing - (address % missing) - span;
        continue;
      }
      if (memory.read(theirs.at, size) === 0n) continue;
      const ours = this.entry(address, level, items, env, node);
      if (!ours) return;
      const value = memory.read(theirs.at, size);
      const before = memory.read(ours.at, size);
      if (before !== 0n && before !== value) {
        context.report(env, node, 'tables-clash', `the level-${level} entry for ${show(address)} is in use already and cannot be shared`);
        return;
      }
      memory.write(ours.at, value, size);
    }
  }

  /** The entry of a level on the way of an address; null when the way ends above. */
  private find(address: bigint, level: number): Entry | null {
    const table = level === this.options.shape.levels ? this.options.root : this.tables.get(this.keyOf(address, level));
    return table === undefined ? null : this.entryIn(table, address, level);
  }

  /** What the topmost table that is missing above a level would cover, around an address for which one is missing. */
  private missingSpan(address: bigint, level: number): bigint {
    const { shape } = this.options;
    let top = level;
    while (top + 1 < shape.levels && !this.tables.has(this.keyOf(address, top + 1))) top++;
    return spanOf(shape, top + 1);
  }

  private place(address: bigint, level: number, at: number, env: Env, node: Node): void {
    const key = this.keyOf(address, level);
    const before = this.tables.get(key);
    if (before !== undefined && before !== at) {
      this.options.context.report(
        env,
        node,
        'tables-clash',
        `the table of level ${level} for ${show(address)} is at ${show(before)} already`,
      );
    } else if (before === undefined && this.own(at, env, node)) this.tables.set(key, at);
  }

  private writeRaw(raw: RawItem, items: TablesItems): void {
    const { shape, memory, context } = this.options;
    const { address, level, value, env, node } = raw;
    const entry = this.entry(address, level, items, env, node);
    if (!entry) return;
    const before = this.raw.get(entry.at);
    if (before && before.value !== value) {
      const related = [{ file: before.env.file, node: before.node, message: 'the other value' }];
      context.report(env, node, 'entry-twice', `this entry is written twice, with different values`, { related });
      return;
    }
    this.raw.set(entry.at, raw);
    memory.write(entry.at, value, shape.entryBytes);
    const leads = level > 1 && (value & presentMask(shape.name)) !== 0n && !(shape.largeLevels.includes(level) && (value & LARGE) !== 0n);
    if (leads) this.tables.set(this.keyOf(address, level - 1), Number(value & frameMask(shape.name)));
  }

  private map(mapping: MappingItem, items: TablesItems): void {
    const { shape, memory, context } = this.options;
    const { from, size, to, level, env, node } = mapping;
    const span = spanOf(shape, level);
    const tableSpan = spanOf(shape, level + 1);
    for (let done = 0n; done < size;) {
      const first = this.entry(from + done, level, items, env, node.from);
      if (!first) return;
      const rest = tableSpan - ((from + done) % tableSpan);
      const bytes = rest < size - done ? rest : size - done;
      if (level > 1 && !this.raw.has(first.at) && memory.read(first.at, shape.entryBytes) !== 0n) {
        context.report(
          env,
          node.from,
          'way-blocked',
          `a table of level ${level - 1} for ${show(from + done)} is in use already, where a page is to be mapped`,
        );
        return;
      }
      this.fill(first.at, Number(bytes / span), to + done, mapping);
      done += bytes;
    }
  }

  /** Entries for consecutive pages in one table; raw ones stay as they are. */
  private fill(at: number, count: number, to: bigint, { entry, level }: MappingItem): void {
    const { shape, memory } = this.options;
    const page = memory.page(at);
    const wide = shape.entryBytes === 8;
    const low = Number(entry & 0xffff_ffffn);
    const high = Number(entry >> 32n);
    const span = Number(spanOf(shape, level));
    let physical = Number(to);
    let half = (at % PAGE_SIZE) / 4;
    for (let i = 0; i < count; i++, physical += span, half += wide ? 2 : 1) {
      if (this.raw.size > 0 && this.raw.has(at + i * shape.entryBytes)) continue;
      const upper = Math.floor(physical / 2 ** 32);
      // PSE-36: bits 39:32 of a 4M page's address stand in bits 20:13 of its entry.
      page[half] = low | (physical % 2 ** 32) | (wide ? 0 : (upper & 0xff) << 13);
      if (wide) page[half + 1] = high | upper;
    }
  }

  /** Mappings that begin inside another one, which are reported. */
  private overlaps(mappings: readonly MappingItem[]): ReadonlySet<MappingItem> {
    const found = new Set<MappingItem>();
    const sorted = [...mappings].sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0));
    let before: MappingItem | null = null;
    for (const mapping of sorted) {
      if (before && mapping.from < before.from + before.size) {
        const [second, first] = mapping.node.range.start < before.node.range.start ? [before, mapping] : [mapping, before];
        const related = [{ file: first.env.file, node: first.node, message: 'mapped here first' }];
        this.options.context.report(second.env, second.node.from, 'mappings-overlap', `${show(mapping.from)} is mapped already`, {
          related,
        });
        found.add(second);
      }
      if (!before || mapping.from + mapping.size > before.from + before.size) before = mapping;
    }
    return found;
  }

  /** The entry of a level on the way of an address; makes the tables above it. Null when that cannot be, which is reported. */
  private entry(address: bigint, level: number, items: TablesItems, env: Env, node: Node): Entry | null {
    const { shape, root, memory } = this.options;
    let table = root;
    for (let at = shape.levels; at > level; at--) {
      const key = this.keyOf(address, at - 1);
      const upper = this.entryIn(table, address, at);
      const raw = this.raw.get(upper.at);
      let next = this.tables.get(key);
      if (raw && next === undefined) {
        const related = [{ file: raw.env.file, node: raw.node, message: 'the entry' }];
        this.options.context.report(env, node, 'way-blocked', `a raw entry of level ${at} for ${show(address)} leads to no table`, {
          related,
        });
        return null;
      }
      if (next === undefined) {
        const made = this.allocate(env, node);
        if (made === null) return null;
        this.tables.set(key, (next = made));
      }
      if (!raw) {
        if (memory.read(upper.at, shape.entryBytes) === 0n) {
          memory.write(upper.at, this.link(address, at, items) | BigInt(next), shape.entryBytes);
        }
        if (memory.size > MOST_TABLES) return this.tooLarge(env, node);
      }
      table = next;
    }
    if (!this.options.hasMemory(table)) {
      this.options.context.report(
        env,
        node,
        'table-in-no-slot',
        `the table of level ${level} for ${show(address)} is at ${show(table)}, in no slot`,
      );
      return null;
    }
    return this.entryIn(table, address, level);
  }

  /** An entry that leads to a table: rights of the last `upper` that covers it. */
  private link(address: bigint, level: number, { uppers }: TablesItems): bigint {
    const { shape } = this.options;
    const span = spanOf(shape, level);
    const start = address - (address % span);
    let entry = plainEntry(shape.name, level, false);
    for (const upper of uppers) {
      if (upper.level !== level || upper.last < start || upper.from > start + span - 1n) continue;
      this.used.add(upper);
      entry = upper.entry;
    }
    return entry;
  }

  private tooLarge(env: Env, node: Node): null {
    if (!this.full) {
      const message = `these tables take more than ${MOST_TABLES} pages: map with larger pages (pages 2M), or less`;
      this.options.context.report(env, node, 'tables-too-large', message);
    }
    this.full = true;
    return null;
  }

  private allocate(env: Env, node: Node): number | null {
    const { allocator, named, root, context } = this.options;
    const page = allocator.allocate(named, this.last, root);
    if (page === null) {
      context.report(env, node, 'no-room-for-tables', `there is no room for further tables of ${named.name} in guest memory`);
      return null;
    }
    this.last = page;
    this.options.owners.set(page / PAGE_SIZE, { tables: named, node: named.definition });
    return page;
  }

  /** A page whose place is written becomes a table, unless it is one already. */
  private own(at: number, env: Env, node: Node): boolean {
    const { owners, named, context, allocator } = this.options;
    const other = owners.get(at / PAGE_SIZE);
    if (other) {
      const related = [{ file: other.tables.file, node: other.node, message: `a table of ${other.tables.name}` }];
      context.report(env, node, 'tables-overlap', `there is a table at ${show(at)} already`, { related });
      return false;
    }
    if (!this.options.hasMemory(at)) {
      context.report(env, node, 'table-in-no-slot', `the table at ${show(at)} is in no slot`);
      return false;
    }
    owners.set(at / PAGE_SIZE, { tables: named, node });
    allocator.take(at);
    return true;
  }

  private entryIn(table: number, address: bigint, level: number): Entry {
    const { shape } = this.options;
    const bits = level === 3 && shape.name === 'pae' ? 2 : shape.indexBits;
    const index = Number(BigInt.asUintN(bits, address >> BigInt(shiftOf(shape, level))));
    return { table, at: table + index * shape.entryBytes };
  }

  private keyOf(address: bigint, level: number): string {
    const { shape } = this.options;
    return `${level} ${BigInt.asUintN(shape.inputBits, address) >> BigInt(shiftOf(shape, level + 1))}`;
  }
}
