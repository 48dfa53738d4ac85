/**
 * Page frames of a physical memory (the host's, or that of an L1 hypervisor): who has which, and what is in them. Frames are
 * numbers of 4K pages. Allocation is deterministic.
 */
import { high, low, PAGE_SIZE } from '../bits';
import type { PhysicalMemory } from './physical-memory';

const FRAME_HALVES = 1024;
const HUGE_PAGE = 512;

/** Where {@link HostMemory} gets frames from. */
export interface FrameSupply {
  /**
   * Contiguous frames, the first congruent to `page` modulo `align` (a power of two), so that large pages can map them.
   *
   * @returns the first frame; -1 when there is no room
   */
  allocate(pages: number, align: number, page: number): number;
  release(frame: number, pages: number): void;
}

/** What a {@link HostMemory} does with the contents of frames. */
export interface FrameContents {
  clear(frame: number): void;
  copy(from: number, to: number): void;
  /** Set the aligned 64-bit word at a physical address. */
  write(address: number, lo: number, hi: number): void;
}

/** Frames of the shared pages that reads of memory never written are given. */
export interface ZeroPages {
  readonly small: number;
  /** The first of the huge one, which is made when it is first wanted (huge_memory.c: get_huge_zero_page); -1: none can be had. */
  huge(): number;
}

interface Extent {
  start: number;
  end: number;
}

/** Frames first … end-1. Each search begins behind the last frame given out, so that a frame given back is not the next one. */
export class FrameAllocator implements FrameSupply {
  private readonly free: Extent[];
  private cursor: number;

  constructor(first: number, end: number) {
    this.free = end > first ? [{ start: first, end }] : [];
    this.cursor = first;
  }

  allocate(pages: number, align = 1, page = 0): number {
    const frame = this.search(pages, align, page, this.cursor);
    const found = frame >= 0 ? frame : this.search(pages, align, page, 0);
    if (found >= 0) this.take(found, pages);
    return found;
  }

  release(frame: number, pages: number): void {
    const end = frame + pages;
    let at = 0;
    while (at < this.free.length && this.free[at].start < frame) at++;
    const before = this.free[at - 1];
    const after = this.free[at];
    const joinsAfter = after !== undefined && after.start === end;
    if (before !== undefined && before.end === frame) {
      before.end = joinsAfter ? after.end : end;
      if (joinsAfter) this.free.splice(at, 1);
    } else if (joinsAfter) after.start = frame;
    else this.free.splice(at, 0, { start: frame, end });
  }

  private search(pages: number, align: number, page: number, from: number): number {
    for (const extent of this.free) {
      const start = Math.max(extent.start, from);
      const skew = (((page - start) % align) + align) % align;
      if (start + skew + pages <= extent.end) return start + skew;
    }
    return -1;
  }

  private take(frame: number, pages: number): void {
    const at = this.free.findIndex((extent) => extent.start <= frame && frame < extent.end);
    const extent = this.free[at];
    const rest = { start: frame + pages, end: extent.end };
    const left = extent.start < frame ? [{ start: extent.start, end: frame }] : [];
    const right = rest.start < rest.end ? [rest] : [];
    this.free.splice(at, 1, ...left, ...right);
    this.cursor = rest.start;
  }
}

/** Frames that are what the page says: for an L1 whose slots name its own guest-physical addresses. */
export const IDENTITY_FRAMES: FrameSupply = {
  allocate: (_pages, _align, page) => page,
  release: () => undefined,
};

/** How a host's memory is laid out: the shared zero page and the hypervisor's tables low, guests' memory and the huge zero page from a quarter on. */
export interface HostFrames {
  readonly zeroPages: ZeroPages;
  readonly tables: FrameAllocator;
  readonly guests: FrameAllocator;
}

/** Of so many bytes of host-physical memory those that guests can have: KVM's tables lie in the first quarter. */
export function memoryOfGuests(memory: number): number {
  const end = Math.floor(memory / PAGE_SIZE);
  return (end - firstOfGuests(end)) * PAGE_SIZE;
}

/** @param end frames of the host */
function firstOfGuests(end: number): number {
  return Math.max(firstOfTables(end), Math.floor(end / 4));
}

function firstOfTables(end: number): number {
  return end >= 1024 ? 256 : 2;
}

/** @param memory bytes of host-physical memory */
export function hostFrames(memory: number): HostFrames {
  const end = Math.floor(memory / PAGE_SIZE);
  const guests = firstOfGuests(end);
  const supply = new FrameAllocator(guests, end);
  let huge = -1;
  const zeroPages = { small: 1, huge: () => (huge >= 0 ? huge : (huge = supply.allocate(HUGE_PAGE, HUGE_PAGE))) };
  return { zeroPages, tables: new FrameAllocator(firstOfTables(end), guests), guests: supply };
}

/** Contents of the host's own frames. */
export class PhysicalFrames implements FrameContents {
  constructor(private readonly memory: PhysicalMemory) {}

  clear(frame: number): void {
    const at = this.locate(frame);
    if (at < 0) return;
    for (let i = 0; i < FRAME_HALVES; i += 2) this.memory.writeAt(at + i, 0, 0);
  }

  copy(from: number, to: number): void {
    if (this.locate(from) < 0) return this.clear(to);
    for (let i = 0; i < PAGE_SIZE; i += 8) {
      const address = from * PAGE_SIZE + i;
      const [lo, hi] = [this.memory.low(address), this.memory.high(address)];
      const target = to * PAGE_SIZE + i;
      if (lo !== this.memory.low(target) || hi !== this.memory.high(target)) this.memory.write(target, lo, hi);
    }
  }

  write(address: number, lo: number, hi: number): void {
    this.memory.write(address, lo, hi);
  }

  /** Index of the frame's first half; -1 when the frame was never written and so is zero. */
  private locate(frame: number): number {
    const at = this.memory.locate(low(frame * PAGE_SIZE), high(frame * PAGE_SIZE));
    return at < FRAME_HALVES ? -1 : at;
  }
}
