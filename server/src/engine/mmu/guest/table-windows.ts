/**
 * Through which linear address a guest's kernel writes its tables, kept: to find one all tables are searched, and an edit changes an entry
 * or two. What is kept of a frame goes when an entry that maps it, or is made to, changes; all of it when a table above the lowest does,
 * or lies elsewhere.
 */
import { high, join, low } from '../../bits';
import type { PhysicalMemory } from '../../memory/physical-memory';
import { FRAME_HIGH, FRAME_LOW } from '../../x86/entries';
import type { Format } from '../../x86/formats';
import { windowOn, type Linear, type Root } from './own-tables';

/** Searches that are kept: one for each root under which a kernel edits. */
const MOST_KEPT = 8;

/** Of one set of tables. */
class Kept {
  /** By frame that was asked for; null: nothing maps it. */
  readonly windows = new Map<number, Linear | null>();
  /** Where the tables that were searched lie: host-physical by guest-physical. */
  readonly tables = new Map<number, number>();
  /** By place in the arena of memory: frames of tables with their level, the highest where they stand at several. */
  readonly levels = new Map<number, number>();

  clear(): void {
    this.windows.clear();
    this.tables.clear();
    this.levels.clear();
  }
}

/** Of a VM, whose vCPUs have the same memory. */
export class TableWindows {
  private readonly kept = new Map<string, Kept>();

  /** @param look host-physical address of a guest-physical one; -1: none */
  constructor(
    private readonly memory: PhysicalMemory,
    private readonly look: (gpa: number) => number,
  ) {
    memory.onTableChange((at, lo, hi) => this.changes(at, lo, hi));
  }

  /** As {@link windowOn}. */
  find(format: Format, roots: readonly Root[], gpa: number, writeProtect: boolean): Linear | null {
    const offset = gpa % 4096;
    const gfn = (gpa - offset) / 4096;
    const { windows } = this.keptFor(format, roots, writeProtect);
    let window = windows.get(gfn);
    if (window === undefined) window = this.search(format, roots, gpa - offset, writeProtect);
    return window && { lo: window.lo | offset, hi: window.hi };
  }

  private keptFor(format: Format, roots: readonly Root[], writeProtect: boolean): Kept {
    const key = `${format.name} ${writeProtect} ${roots.map(({ table, base }) => `${table} ${base.lo}`).join()}`;
    let kept = this.kept.get(key);
    if (kept === undefined) {
      if (this.kept.size === MOST_KEPT) this.kept.delete(this.kept.keys().next().value!);
      this.kept.set(key, (kept = new Kept()));
    }
    for (const [table, host] of kept.tables) {
      if (this.look(table) === host) continue;
      kept.clear();
      break;
    }
    return kept;
  }

  private search(format: Format, roots: readonly Root[], gpa: number, writeProtect: boolean): Linear | null {
    const kept = this.keptFor(format, roots, writeProtect);
    let known = true;
    const found = windowOn(this.memory, this.look, format, roots, gpa, writeProtect, (table, host, level) => {
      const at = host < 0 ? -1 : this.memory.locate(low(host), high(host));
      // A frame that is not there yet tells nobody when it is written first.
      if (at < FRAME_WORDS) known = false;
      else {
        this.memory.markTable(at);
        kept.tables.set(table, host);
        kept.levels.set(at >>> 10, Math.max(level, kept.levels.get(at >>> 10) ?? 0));
      }
    });
    if (known) kept.windows.set(gpa / 4096, found);
    return found;
  }

  /** A word of a table is about to change. */
  private changes(at: number, lo: number, hi: number): void {
    for (const kept of this.kept.values()) {
      const level = kept.levels.get(at >>> 10);
      if (level === undefined) continue;
      if (level > 1) {
        kept.clear();
        continue;
      }
      const { words } = this.memory;
      for (const [entryLo, entryHi] of [
        [words[at], words[at + 1]],
        [lo, hi],
      ]) {
        kept.windows.delete(join(entryLo & FRAME_LOW, entryHi & FRAME_HIGH) / 4096);
        // Two entries of 4 bytes each stand in a word.
        kept.windows.delete(entryLo >>> 12);
        kept.windows.delete(entryHi >>> 12);
      }
    }
  }
}

/** Halves of words in a frame of memory's arena, whose first frame is that of all that is absent. */
const FRAME_WORDS = 1024;
