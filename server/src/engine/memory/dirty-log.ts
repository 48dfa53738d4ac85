/**
 * Dirty log of a memory slot (§4.4; kvm_main.c: mark_page_dirty_in_slot, kvm_get_dirty_log_protect,
 * kvm_clear_dirty_log_protect): one bit a page, relative to the slot's first.
 */
import { high, low } from '../bits';
import { Kind, Space } from '../journal/events';
import type { Journal } from '../journal/journal';

/** Words of 64 bits that one slot's bitmap may have: a slot has fewer than 2^31 pages. */
const WORDS = 2 ** 25;

export class DirtyLog {
  /** Halves of the bitmap by their number; absent ones are zero. */
  private readonly halves = new Map<number, number>();
  private readonly base: number;

  /**
   * @param vm number of the VM
   * @param slot id of the slot, below 2^15, plus address space * 2^15
   */
  constructor(
    private readonly journal: Journal,
    vm: number,
    slot: number,
    readonly pages: number,
  ) {
    this.base = (vm * 0x1_0000 + slot) * WORDS;
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
    const key = this.base + Math.floor(half / 2);
    const upper = half % 2 !== 0;
    this.journal.row(Kind.change, 0, Space.dirtyLog, low(key), high(key), upper ? 0 : bits, upper ? bits : 0);
  }
}

/** Whose bits a key of {@link Space.dirtyLog} holds: slot as given to {@link DirtyLog}, page relative to its first. */
export function dirtyWordOf(key: number): { readonly vm: number; readonly slot: number; readonly firstPage: number } {
  const log = Math.floor(key / WORDS);
  return { vm: Math.floor(log / 0x1_0000), slot: log % 0x1_0000, firstPage: (key % WORDS) * 64 };
}
