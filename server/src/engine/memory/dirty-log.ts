/**
 * Dirty log of a memory slot (§4.4; kvm_main.c: mark_page_dirty_in_slot, kvm_get_dirty_log_protect,
 * kvm_clear_dirty_log_protect): one bit a page, relative to the slot's first.
 */
import type { Journal } from '../journal/journal';
import { Space, SPACES } from '../journal/spaces';

export class DirtyLog {
  /** Halves of the bitmap by their number; absent ones are zero. */
  private readonly halves = new Map<number, number>();
  private readonly base: number;

  /**
   * @param vm number of the VM
   * @param slot its number
   */
  constructor(
    private readonly journal: Journal,
    vm: number,
    addressSpace: number,
    slot: number,
    readonly pages: number,
  ) {
    this.base = SPACES[Space.dirtyLog].key.encode({ vm, addressSpace, slot, word: 0 });
  }

  /** Every page counts as dirty (KVM_DIRTY_LOG_INITIALLY_SET). */
  setAll(): void {
    for (let half = 0; half * 32 < this.pages && !this.journal.full; half++) {
      const left = this.pages - half * 32;
      this.flip(half, (left >= 32 ? -1 : (1 << left) - 1) & ~(this.halves.get(half) ?? 0));
    }
  }

  /** @param page relative to the slot's first */
  mark(page: number): void {
    if (!this.has(page)) this.flip(Math.floor(page / 32), 1 << (page % 32));
  }

  has(page: number): boolean {
    return (((this.halves.get(Math.floor(page / 32)) ?? 0) >>> (page % 32)) & 1) !== 0;
  }

  /** Dirty pages, ascending, relative to the slot's first. */
  dirty(first = 0, pages = this.pages): number[] {
    const found: number[] = [];
    for (const [half, bits] of this.halves) {
      for (let bit = 0; bit < 32; bit++) {
        const page = half * 32 + bit;
        if (((bits >>> bit) & 1) !== 0 && page >= first && page < first + pages) found.push(page);
      }
    }
    return found.sort((a, b) => a - b);
  }

  /** Clear the bits of a range: those of which tracking is to be armed again are returned, ascending. */
  take(first = 0, pages = this.pages): number[] {
    const taken = this.dirty(first, pages);
    for (const page of taken) this.flip(Math.floor(page / 32), 1 << (page % 32));
    return taken;
  }

  /** The log goes away with logging or with its slot. */
  drop(): void {
    this.take();
  }

  private flip(half: number, bits: number): void {
    if (bits === 0) return;
    const now = (this.halves.get(half) ?? 0) ^ bits;
    if (now === 0) this.halves.delete(half);
    else this.halves.set(half, now);
    const upper = half % 2 !== 0;
    this.journal.change(Space.dirtyLog, this.base + Math.floor(half / 2), upper ? 0 : bits, upper ? bits : 0);
  }
}
