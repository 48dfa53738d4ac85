/** Guest memory at the start, page by page, as it is being described. */
import { PAGE_SIZE } from '../../../engine/bits';
import type { MemoryImage } from '../../../engine/program';

const PAGE_HALVES = PAGE_SIZE / 4;

export class MemoryBuilder {
  private readonly pages = new Map<number, Uint32Array>();

  /** Pages described so far. */
  get size(): number {
    return this.pages.size;
  }

  /** 32-bit halves of the page at a guest-physical address; made when it is new. */
  page(gpa: number): Uint32Array {
    const number = Math.floor(gpa / PAGE_SIZE);
    let page = this.pages.get(number);
    if (!page) this.pages.set(number, (page = new Uint32Array(PAGE_HALVES)));
    return page;
  }

  /** @param gpa a multiple of `size` */
  write(gpa: number, value: bigint, size: 4 | 8): void {
    const page = this.page(gpa);
    const at = (gpa % PAGE_SIZE) / 4;
    page[at] = Number(value & 0xffff_ffffn);
    if (size === 8) page[at + 1] = Number(value >> 32n);
  }

  read(gpa: number, size: 4 | 8): bigint {
    const page = this.pages.get(Math.floor(gpa / PAGE_SIZE));
    if (!page) return 0n;
    const at = (gpa % PAGE_SIZE) / 4;
    return size === 4 ? BigInt(page[at]) : (BigInt(page[at + 1]) << 32n) | BigInt(page[at]);
  }

  /** Bytes as they stand in memory, the first one at a guest-physical address that is a multiple of 4. */
  fill(gpa: number, bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += 4) {
      const half = (bytes[at] | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)) >>> 0;
      if (half !== 0) this.page(gpa + at)[((gpa + at) % PAGE_SIZE) / 4] = half;
    }
  }

  /** Ascending, at most a page each, without zeros at either end. */
  images(): MemoryImage[] {
    const images: MemoryImage[] = [];
    for (const [number, page] of [...this.pages].sort(([a], [b]) => a - b)) {
      const words = new BigUint64Array(page.buffer);
      let from = 0;
      let to = words.length;
      while (from < to && words[from] === 0n) from++;
      while (to > from && words[to - 1] === 0n) to--;
      if (from < to) images.push({ gpa: number * PAGE_SIZE + from * 8, words: words.slice(from, to) });
    }
    return images;
  }
}
