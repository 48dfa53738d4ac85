/**
 * Write tracking of guest frames, and where large pages are not allowed (§5.1.1, §4.6; page_track.c, mmu.c:
 * kvm_mmu_gfn_disallow_lpage). A frame that holds a shadowed table of level 2 or above is tracked: every write to it is
 * emulated. Any shadowed table forbids large pages over itself.
 */
import { Space, SPACES } from '../../journal/spaces';
import { blockOf } from './reverse-map';
import type { Trace } from '../trace';

/** Levels at which large pages exist. */
const LARGE_LEVELS = [2, 3];

export class PageTrack {
  private readonly counts = new Map<number, number>();
  private readonly noLarge: Map<number, number>[] = LARGE_LEVELS.map(() => new Map<number, number>());

  constructor(
    private readonly trace: Trace,
    private readonly vm: number,
  ) {}

  /** Writes to the frame are tracked (kvm_slot_page_track_is_active). */
  tracked(gfn: number): boolean {
    return this.counts.has(gfn);
  }

  count(gfn: number): number {
    return this.counts.get(gfn) ?? 0;
  }

  /** One more shadow page of level 2 or above mirrors the frame. */
  add(gfn: number): void {
    this.set(gfn, this.count(gfn) + 1, true);
    this.disallowLarge(gfn);
  }

  remove(gfn: number): void {
    this.set(gfn, this.count(gfn) - 1, false);
    this.allowLarge(gfn);
  }

  disallowLarge(gfn: number): void {
    this.adjust(gfn, 1);
  }

  allowLarge(gfn: number): void {
    this.adjust(gfn, -1);
  }

  /** May a large page of this level lie over the frame? */
  largeAllowed(gfn: number, level: number): boolean {
    return !this.noLarge[level - 2].has(blockOf(gfn, level));
  }

  disallowCount(gfn: number, level: number): number {
    return this.noLarge[level - 2].get(blockOf(gfn, level)) ?? 0;
  }

  private adjust(gfn: number, by: number): void {
    LARGE_LEVELS.forEach((level, i) => {
      const key = blockOf(gfn, level);
      const count = (this.noLarge[i].get(key) ?? 0) + by;
      if (count > 0) this.noLarge[i].set(key, count);
      else this.noLarge[i].delete(key);
    });
  }

  private set(gfn: number, count: number, added: boolean): void {
    this.trace.emit(added ? 'kvm_page_track_add' : 'kvm_page_track_remove', { gfn, count });
    this.trace.journal.change(Space.track, SPACES[Space.track].key.encode({ vm: this.vm, gfn }), this.count(gfn) ^ count, 0);
    if (count > 0) this.counts.set(gfn, count);
    else this.counts.delete(gfn);
  }
}
