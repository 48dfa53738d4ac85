/**
 * Virtual memory of a VMM's process, as the kernel below it keeps it (§4.5): which page stands behind a virtual address,
 * what happens when it is touched first, and what the kernel does to it later. Knows nothing of guests and levels; whoever
 * maps these pages elsewhere registers as MMU notifier.
 */
import { hex, PAGE_SIZE } from '../bits';
import { emit } from '../journal/emit';
import { HostMm } from '../journal/enumerations';
import type { Journal } from '../journal/journal';
import type { Backing } from '../program';
import type { FrameContents, FrameSupply, ZeroPages } from './frames';
import { frameOfWord, HostPageRecorder, isZeroPage, levelIn, pagesOf, pageWord } from './host-pages';
import type { HostArea } from './host-pages';
import type { Failure } from './slots';

const HUGE_PAGES = pagesOf(2);

/** What following a virtual address comes to. */
export enum Follow {
  ok = 0,
  /** No mapping, or it does not allow the access: EFAULT. */
  fault = 1,
  /** No frame left: ENOMEM. */
  noMemory = 2,
}

export interface MmuNotifier {
  /** Pages of [start, end) are about to change: no translation to them may remain (invalidate_range_start). */
  invalidate(start: number, end: number): void;
  /** A shared page was replaced by a copy; comes after {@link invalidate} (change_pte). */
  changed(hva: number): void;
}

interface Area extends HostArea {
  readonly id: number;
}

export class HostMemory {
  /** Completed and running invalidations (mmu_invalidate_seq): differs after {@link follow} when a page was replaced meanwhile. */
  invalidations = 0;
  notifier: MmuNotifier | null = null;
  /** Results of {@link follow} and {@link look}: frame of the 4K page, whether the host's entry is writable, size of the host page. */
  frame = 0;
  writable = false;
  level = 1;

  /** By virtual page; disjoint. */
  private readonly areas: Area[] = [];
  /** Words (host-pages.ts) of single pages in areas whose pages are not there as a whole. */
  private readonly pages = new Map<number, number>();
  private readonly recorder: HostPageRecorder;
  private readonly freeIds: number[] = [];
  private nextId = 0;
  private lastArea = 0;
  /** What is done to the mappings now, and its row in the journal; -1: it has changed nothing yet. */
  private operation = HostMm.map;
  private first = 0;
  private count = 0;
  private event = -1;

  /** @param owner VM whose VMM this is */
  constructor(
    private readonly journal: Journal,
    owner: number,
    private readonly frames: FrameSupply,
    private readonly contents: FrameContents,
    private readonly zeroPages: ZeroPages,
  ) {
    this.recorder = new HostPageRecorder(journal, owner);
  }

  /** mmap with this backing, where nothing is mapped yet in the range; what is mapped stays as it is. */
  map(hva: number, size: number, backing: Backing): Failure | null {
    const range = rangeOf(hva, size);
    if (!range) return UNALIGNED;
    const { start, end } = range;
    this.begin(HostMm.map, start, end - start);
    for (let page = start; page < end;) {
      const at = this.indexAfter(page);
      const before = this.areas[at - 1];
      if (before !== undefined && page < before.start + before.pages) {
        page = before.start + before.pages;
        continue;
      }
      const stop = Math.min(end, this.areas[at]?.start ?? end);
      const failure = this.mapNew(page, stop - page, backing);
      if (failure) return failure;
      page = stop;
    }
    return null;
  }

  /**
   * The page behind a virtual address as get_user_pages gives it: made or copied when it must be (kvm_main.c: hva_to_pfn).
   * A read of a page that was never written gives a shared zero page, not writable; a write copies it. Where transparent huge pages
   * may be, that is the huge one (huge_memory.c: do_huge_pmd_anonymous_page), which a write divides first (do_huge_pmd_wp_page).
   */
  follow(hva: number, write: boolean): Follow {
    const page = Math.floor(hva / PAGE_SIZE);
    const area = this.find(page);
    if (area === null || (write && !area.writable)) return Follow.fault;
    this.begin(HostMm.fault, page, 1);
    if (area.frame >= 0) {
      if (!write || !area.zero) return this.found(area, page);
      this.notify(area.start, area.start + area.pages);
      this.due();
      this.divideZero(area);
    }
    const word = this.pages.get(page);
    if (word !== undefined && !(write && isZeroPage(word))) return this.foundPage(area, word);
    if (word === undefined && levelIn(area, page) > 1) return this.faultInHuge(area, page, write);
    if (!write) {
      this.due();
      this.setPage(page, pageWord(this.zeroPages.small, true));
      return this.foundPage(area, pageWord(this.zeroPages.small, true));
    }
    const frame = this.newFrames(1, 1, page);
    if (frame < 0) return Follow.noMemory;
    if (word !== undefined) this.notify(page, page + 1);
    this.due();
    this.setPage(page, pageWord(frame, false));
    if (word !== undefined) this.notifier?.changed(page * PAGE_SIZE);
    return this.foundPage(area, pageWord(frame, false));
  }

  /** As {@link follow} for what is there already: nothing is made. */
  look(hva: number): boolean {
    const page = Math.floor(hva / PAGE_SIZE);
    const area = this.find(page);
    if (area === null) return false;
    if (area.frame >= 0) return this.found(area, page) === Follow.ok;
    const word = this.pages.get(page);
    return word !== undefined && this.foundPage(area, word) === Follow.ok;
  }

  /** A 64-bit store of the VMM at an aligned address. @param due called before it: whose doing it is */
  store(hva: number, lo: number, hi: number, due: () => void = () => undefined): Failure | null {
    const outcome = this.follow(hva, true);
    if (outcome === Follow.noMemory) return NO_MEMORY;
    if (outcome === Follow.fault) return { errno: 'EFAULT', why: `the VMM has no writable memory at ${hex(hva)}` };
    due();
    this.contents.write(this.frame * PAGE_SIZE + (hva % PAGE_SIZE), lo, hi);
    return null;
  }

  /**
   * madvise(MADV_DONTNEED): the pages go, and their contents with them. A transparent huge page of which a part goes is divided
   * first, and the notifier hears of the whole (huge_memory.c: __split_huge_pmd); of hugetlbfs only whole pages go
   * (madvise.c: madvise_dontneed_free_valid_vma).
   */
  reclaim(hva: number, size: number): Failure | null {
    const range = this.mapped(hva, size);
    if ('errno' in range) return range;
    const { start } = range;
    if (this.partOfHugetlbfs(start)) return { errno: 'EINVAL', why: 'the range does not begin with a page of hugetlbfs' };
    const last = this.find(range.end - 1)!;
    const end = last.hugetlbfs ? range.end - (range.end % pagesOf(levelIn(last, range.end - 1))) : range.end;
    if (end <= start) return null;
    this.begin(HostMm.reclaim, start, end - start);
    this.notify(start, end);
    this.divideMapped(start);
    this.divideMapped(end);
    this.due();
    this.cut(start);
    this.cut(end);
    for (const area of this.within(start, end)) {
      if (area.frame >= 0) {
        this.releaseArea(area);
        this.alter(area, { frame: -1, zero: false });
      } else this.forgetPages(area.start, area.start + area.pages);
    }
    return null;
  }

  /**
   * mprotect. As in Linux the notifier hears of the 2M around a boundary at which the mapping is divided
   * (huge_memory.c: vma_adjust_trans_huge), then of the range.
   */
  protect(hva: number, size: number, writable: boolean): Failure | null {
    const range = this.mapped(hva, size);
    if ('errno' in range) return range;
    const { start, end } = range;
    if (this.partOfHugetlbfs(start) || this.partOfHugetlbfs(end)) return { errno: 'EINVAL', why: 'the range divides a page of hugetlbfs' };
    if (this.within(start, end).every((area) => area.writable === writable)) return null;
    this.begin(HostMm.protect, start, end - start);
    const first = this.mappingAround(start);
    if (first.start < start && first.writable !== writable) this.divideHuge(start, first.start, first.end);
    const last = this.mappingAround(end - 1);
    if (end < last.end && last.writable !== writable) this.divideHuge(end, Math.max(last.start, start), last.end);
    this.notify(start, end);
    this.due();
    this.cut(start);
    this.cut(end);
    for (const area of this.within(start, end)) this.alter(area, { writable });
    return null;
  }

  /** Huge host pages that touch the range become 4K pages, contents kept. */
  split(hva: number, size: number): Failure | null {
    const range = this.mapped(hva, size);
    if ('errno' in range) return range;
    this.begin(HostMm.split, range.start, range.end - range.start);
    for (let page = range.start; page < range.end;) {
      const area = this.find(page)!;
      const level = levelIn(area, page);
      const pages = pagesOf(level);
      const block = page - (page % pages);
      if (level > 1) {
        if (area.hugetlbfs) return { errno: 'EINVAL', why: 'pages of hugetlbfs cannot be split' };
        if (area.frame >= 0) this.notify(block, block + pages);
        this.divide(block, pages);
      }
      page = block + pages;
    }
    return null;
  }

  /** khugepaged: each 2M block that the range touches becomes one 2M page on new frames. */
  collapse(hva: number, size: number): Failure | null {
    const range = this.mapped(hva, size);
    if ('errno' in range) return range;
    this.begin(HostMm.collapse, range.start, range.end - range.start);
    for (let block = range.start - (range.start % HUGE_PAGES); block < range.end; block += HUGE_PAGES) {
      const failure = this.collapseBlock(block);
      if (failure) return failure;
    }
    return null;
  }

  private collapseBlock(block: number): Failure | null {
    const end = block + HUGE_PAGES;
    const mapping = this.mappingAround(block);
    const [first] = this.within(block, end);
    if (mapping.start > block || mapping.end < end)
      return { errno: 'EINVAL', why: `no mapping has the whole 2M at ${hex(block * PAGE_SIZE)}` };
    if (first.frame >= 0 && levelIn(first, block) > 1) return null;
    const frame = this.newFrames(HUGE_PAGES, HUGE_PAGES, block);
    if (frame < 0) return NO_MEMORY;
    this.notify(block, end);
    this.due();
    for (let page = block; page < end; page++) {
      if (this.look(page * PAGE_SIZE)) this.contents.copy(this.frame, frame + page - block);
    }
    this.due();
    this.cut(block);
    this.cut(end);
    const parts = this.within(block, end);
    for (const area of parts) {
      if (area.frame >= 0) this.releaseArea(area);
      else this.forgetPages(area.start, area.start + area.pages);
    }
    for (const area of parts.slice(1)) this.removeArea(area);
    this.alter(parts[0], { pages: HUGE_PAGES, frame, level: Math.max(parts[0].level, 2), zero: false });
    return null;
  }

  private mapNew(start: number, pages: number, { pageSize, populated, hugetlbfs }: Backing): Failure | null {
    const level = pageSize >= pagesOf(3) * PAGE_SIZE ? 3 : pageSize >= HUGE_PAGES * PAGE_SIZE ? 2 : 1;
    const frame = populated ? this.newFrames(pages, pagesOf(level), start) : -1;
    if (populated && frame < 0) return NO_MEMORY;
    this.due();
    // There is no transparent page of 1G.
    this.addArea({ start, pages, frame, level, writable: true, hugetlbfs: hugetlbfs === true || level === 3, zero: false });
    return null;
  }

  /** A huge page where the area allows one; smaller ones when there is no room. */
  private faultInHuge(area: Area, page: number, write: boolean): Follow {
    const pages = pagesOf(levelIn(area, page));
    const block = page - (page % pages);
    const zero = !write && !area.hugetlbfs;
    const frame = zero ? this.zeroPages.huge() : this.newFrames(pages, pages, block);
    this.due();
    if (frame < 0 && !zero) {
      this.alter(area, { level: area.level - 1 });
      return this.follow(page * PAGE_SIZE, write);
    }
    this.cut(block);
    this.cut(block + pages);
    const own = this.find(page)!;
    if (frame < 0) {
      this.alter(own, { level: 1 });
      return this.follow(page * PAGE_SIZE, write);
    }
    this.alter(own, { frame, zero });
    return this.found(own, page);
  }

  /** The huge zero page of an area becomes as many small ones. */
  private divideZero(area: Area): void {
    this.alter(area, { frame: -1, level: 1, zero: false });
    for (let page = area.start; page < area.start + area.pages; page++) this.setPage(page, pageWord(this.zeroPages.small, true));
  }

  /** A boundary of what is to go lies in a transparent huge page that is there: it is divided, and the notifier hears of it. */
  private divideMapped(page: number): void {
    const area = this.find(page);
    if (area === null || area.frame < 0 || area.hugetlbfs) return;
    const pages = pagesOf(levelIn(area, page));
    const block = page - (page % pages);
    if (block === page) return;
    this.notify(block, block + pages);
    this.divide(block, pages);
  }

  /** A transparent huge page becomes small ones, contents kept. */
  private divide(block: number, pages: number): void {
    this.due();
    this.cut(block);
    this.cut(block + pages);
    const own = this.find(block)!;
    if (own.zero) this.divideZero(own);
    else this.alter(own, { level: 1 });
  }

  /** A boundary lies inside a page of hugetlbfs. */
  private partOfHugetlbfs(page: number): boolean {
    const area = this.find(page);
    return area !== null && area.hugetlbfs && page % pagesOf(levelIn(area, page)) !== 0;
  }

  private releaseArea(area: Area): void {
    if (!area.zero) this.frames.release(area.frame, area.pages);
  }

  private found(area: Area, page: number): Follow {
    this.frame = area.frame + page - area.start;
    this.writable = area.writable && !area.zero;
    this.level = levelIn(area, page);
    return Follow.ok;
  }

  private foundPage(area: Area, word: number): Follow {
    this.frame = frameOfWord(word);
    this.writable = area.writable && !isZeroPage(word);
    this.level = 1;
    return Follow.ok;
  }

  /** Frames with nothing in them. */
  private newFrames(pages: number, align: number, page: number): number {
    const frame = this.frames.allocate(pages, align, page);
    if (frame < 0) return frame;
    this.due();
    for (let i = 0; i < pages; i++) this.contents.clear(frame + i);
    return frame;
  }

  private begin(operation: HostMm, first: number, count: number): void {
    this.operation = operation;
    this.first = first;
    this.count = count;
    this.event = -1;
  }

  /** What changes next is the operation's. */
  private due(): void {
    const { journal, operation, first, count } = this;
    if (this.event >= 0) return journal.goesOn(this.event);
    journal.dueTo(() => {
      this.event = journal.length;
      emit(journal, 'host_mm', { operation, hva: first * PAGE_SIZE, size: count * PAGE_SIZE });
    });
  }

  private notify(start: number, end: number): void {
    this.invalidations++;
    this.notifier?.invalidate(start * PAGE_SIZE, end * PAGE_SIZE);
  }

  /** A mapping [start, end) is to be divided at a page: the 2M around it, when they lie in the mapping, are told to the notifier. */
  private divideHuge(page: number, start: number, end: number): void {
    const block = page - (page % HUGE_PAGES);
    if (block !== page && block >= start && block + HUGE_PAGES <= end) this.notify(block, block + HUGE_PAGES);
  }

  /** The mapping around a page: neighbouring areas of one protection. */
  private mappingAround(page: number): { start: number; end: number; writable: boolean } {
    let at = this.indexAfter(page) - 1;
    const { writable } = this.areas[at];
    let to = at;
    while (at > 0 && joins(this.areas[at - 1], this.areas[at])) at--;
    while (to + 1 < this.areas.length && joins(this.areas[to], this.areas[to + 1])) to++;
    return { start: this.areas[at].start, end: this.areas[to].start + this.areas[to].pages, writable };
  }

  /** The range of pages, all of them mapped. */
  private mapped(hva: number, size: number): { start: number; end: number } | Failure {
    const range = rangeOf(hva, size);
    if (!range) return UNALIGNED;
    for (let page = range.start; page < range.end;) {
      const area = this.find(page);
      if (area === null) return { errno: 'ENOMEM', why: `nothing is mapped at ${hex(page * PAGE_SIZE)}` };
      page = area.start + area.pages;
    }
    return range;
  }

  private find(page: number): Area | null {
    const cached = this.areas[this.lastArea];
    if (cached !== undefined && page >= cached.start && page < cached.start + cached.pages) return cached;
    const at = this.indexAfter(page) - 1;
    const area = this.areas[at];
    if (area === undefined || page >= area.start + area.pages) return null;
    this.lastArea = at;
    return area;
  }

  /** Index of the first area that starts after a page. */
  private indexAfter(page: number): number {
    let from = 0;
    let to = this.areas.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      if (this.areas[middle].start <= page) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  /** Areas that overlap a range, which they fill; after cuts at both ends they are it. */
  private within(start: number, end: number): Area[] {
    const found: Area[] = [];
    for (let at = this.indexAfter(start) - 1; at < this.areas.length && this.areas[at].start < end; at++) found.push(this.areas[at]);
    return found;
  }

  /** An area that goes across a page is divided there. */
  private cut(page: number): void {
    const area = this.find(page);
    if (area === null || area.start === page) return;
    const left = page - area.start;
    const right = { ...area, start: page, pages: area.pages - left, frame: area.frame < 0 ? -1 : area.frame + left };
    this.alter(area, { pages: left });
    this.addArea(right);
  }

  private addArea(area: HostArea): void {
    const id = this.freeIds.pop() ?? this.nextId++;
    this.recorder.area(id, null, area);
    this.areas.splice(this.indexAfter(area.start), 0, { ...area, id });
  }

  private removeArea(area: Area): void {
    this.recorder.area(area.id, area, null);
    this.areas.splice(this.areas.indexOf(area), 1);
    this.freeIds.push(area.id);
  }

  private alter(area: Area, change: Partial<HostArea>): void {
    const old = { ...area };
    Object.assign(area, change);
    this.recorder.area(area.id, old, area);
  }

  private setPage(page: number, word: number): void {
    this.recorder.page(page, this.pages.get(page), word);
    this.pages.set(page, word);
  }

  private forgetPages(start: number, end: number): void {
    const few = end - start < this.pages.size;
    const gone = few ? Array.from({ length: end - start }, (_, i) => start + i) : [...this.pages.keys()];
    for (const page of gone) {
      const word = this.pages.get(page);
      if (word === undefined || page < start || page >= end) continue;
      if (!isZeroPage(word)) this.frames.release(frameOfWord(word), 1);
      this.recorder.page(page, word, undefined);
      this.pages.delete(page);
    }
  }
}

const UNALIGNED: Failure = { errno: 'EINVAL', why: 'address or size is not a multiple of 4K' };
const NO_MEMORY: Failure = { errno: 'ENOMEM', why: 'host memory is used up' };

function rangeOf(hva: number, size: number): { start: number; end: number } | null {
  const valid = Number.isInteger(hva) && Number.isInteger(size) && hva >= 0 && size > 0 && hva % PAGE_SIZE === 0 && size % PAGE_SIZE === 0;
  return valid ? { start: hva / PAGE_SIZE, end: (hva + size) / PAGE_SIZE } : null;
}

function joins(left: HostArea, right: HostArea): boolean {
  return left.start + left.pages === right.start && left.writable === right.writable;
}
