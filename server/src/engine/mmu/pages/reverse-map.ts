/**
 * Reverse maps (§5.10; mmu.c: rmap_add, rmap_remove): guest frame and level → addresses of the leaf sptes that map it. Of
 * shadow pages in the hash only; the TDP MMU needs none, as a frame has one place in its tree.
 */
import { framesAt } from './shadow-page';

/** More leaves of one frame than this, and all are zapped (RMAP_RECYCLE_THRESHOLD). */
export const RECYCLE_THRESHOLD = 1000;
const LEVELS = 3;
const NONE: ReadonlySet<number> = new Set();

export class ReverseMap {
  /** By level - 1: first frame of the block → sptes. */
  private readonly maps: Map<number, Set<number>>[] = Array.from({ length: LEVELS }, () => new Map<number, Set<number>>());

  /** @returns how many leaves the frame has now */
  add(gfn: number, level: number, spte: number): number {
    const map = this.maps[level - 1];
    const key = blockOf(gfn, level);
    let sptes = map.get(key);
    if (sptes === undefined) map.set(key, (sptes = new Set()));
    sptes.add(spte);
    return sptes.size;
  }

  remove(gfn: number, level: number, spte: number): void {
    const map = this.maps[level - 1];
    const key = blockOf(gfn, level);
    const sptes = map.get(key);
    if (sptes === undefined) return;
    sptes.delete(spte);
    if (sptes.size === 0) map.delete(key);
  }

  /** Leaves of the block of a level that holds a frame. */
  of(gfn: number, level: number): ReadonlySet<number> {
    return this.maps[level - 1].get(blockOf(gfn, level)) ?? NONE;
  }

  /**
   * First frames of the blocks of a level that have leaves and touch [start, end), ascending. A list of its own: leaves may
   * be removed while it is gone through.
   */
  blocks(start: number, end: number, level: number): number[] {
    const map = this.maps[level - 1];
    const size = framesAt(level);
    const first = blockOf(start, level);
    const found: number[] = [];
    if ((end - first) / size <= map.size) {
      for (let gfn = first; gfn < end; gfn += size) if (map.has(gfn)) found.push(gfn);
      return found;
    }
    for (const gfn of map.keys()) if (gfn >= first && gfn < end) found.push(gfn);
    return found.sort((a, b) => a - b);
  }

  /** Everything, for checks: level, first frame, sptes. */
  *all(): IterableIterator<{ level: number; gfn: number; sptes: ReadonlySet<number> }> {
    for (let level = 1; level <= LEVELS; level++) {
      for (const [gfn, sptes] of this.maps[level - 1]) yield { level, gfn, sptes };
    }
  }
}

export function blockOf(gfn: number, level: number): number {
  const size = framesAt(level);
  return gfn - (gfn % size);
}
