/**
 * How the VMM's mappings stand in the journal, and how a reader finds them there again.
 *
 * Pages that are there come as areas: runs of virtual pages on contiguous frames, with one size of host page and one
 * protection; so do runs of pages that are not there yet. Single 4K pages that were touched in such a run have words of
 * their own.
 *
 *   {@link Space.hostPage}     frame << 12 | zero page (bit 3) | 1
 *   {@link Space.hostArea}
 *     field 0   virtual address of its first page
 *     field 1   number of pages
 *     field 2   first frame << 12 | zero (7) | hugetlbfs (6) | level << 4 | there (3) | writable (2) | 1
 *     field 3   of area 0: number of area records
 *
 * The owner is the VM whose VMM (process in the host, or in its L1) has the mapping.
 */
import { high, join, low, PAGE_SIZE } from '../bits';
import type { Journal } from '../journal/journal';
import { Space, SPACES } from '../journal/spaces';
import type { Spaces, WordMap } from '../journal/state';

const PAGE = SPACES[Space.hostPage].key;
const AREA = SPACES[Space.hostArea].key;
/** Behind the fields of an area's own record. */
const COUNT_FIELD = 3;
const RECORD = 1 << 0;
const WRITABLE = 1 << 2;
const THERE = 1 << 3;
const ZERO_PAGE = 1 << 3;
const LEVEL_SHIFT = 4;
const HUGETLBFS = 1 << 6;
const ZERO_AREA = 1 << 7;

/** A run of virtual pages with one kind of backing. */
export interface HostArea {
  /** First virtual page number. */
  start: number;
  pages: number;
  /** First frame; -1 while the pages are not there. */
  frame: number;
  /** Largest host page: 1 is 4K, 2 is 2M, 3 is 1G. */
  level: number;
  /** The VMM's mapping allows writes. */
  writable: boolean;
  /** Large pages are of hugetlbfs; otherwise transparent ones. */
  hugetlbfs: boolean;
  /** One block on the shared huge zero page. */
  zero: boolean;
}

/** The host page behind a virtual address. */
export interface HostPage {
  /** Frame of the 4K page at the address. */
  readonly frame: number;
  readonly level: number;
  /** The host's page-table entry allows writes now. */
  readonly writable: boolean;
  /** The shared zero page, until it is written. */
  readonly zero: boolean;
}

/** 4K pages in a page of a level. */
export function pagesOf(level: number): number {
  return 512 ** (level - 1);
}

/** Largest level at which an area maps a page; the block must lie in it whole. */
export function levelIn(area: HostArea, page: number): number {
  for (let level = area.level; level > 1; level--) {
    const pages = pagesOf(level);
    const block = page - (page % pages);
    if (
      block >= area.start &&
      block + pages <= area.start + area.pages &&
      (area.frame < 0 || (area.frame + block - area.start) % pages === 0)
    ) {
      return level;
    }
  }
  return 1;
}

/** Writes an owner's words. Old and new values are given, as the journal wants their XOR. */
export class HostPageRecorder {
  private count = 0;

  constructor(
    private readonly journal: Journal,
    private readonly owner: number,
  ) {}

  page(page: number, old: number | undefined, now: number | undefined): void {
    this.row(Space.hostPage, PAGE.encode({ owner: this.owner, page }), old ?? 0, now ?? 0);
  }

  area(id: number, old: Readonly<HostArea> | null, now: Readonly<HostArea> | null): void {
    if (id >= this.count) {
      this.row(Space.hostArea, areaKey(this.owner, 0, COUNT_FIELD), this.count, id + 1);
      this.count = id + 1;
    }
    const before = old ? areaWords(old) : [0, 0, 0];
    const after = now ? areaWords(now) : [0, 0, 0];
    for (let field = 0; field < COUNT_FIELD; field++) this.row(Space.hostArea, areaKey(this.owner, id, field), before[field], after[field]);
  }

  private row(space: Space, key: number, old: number, now: number): void {
    this.journal.change(space, key, low(old) ^ low(now), high(old) ^ high(now));
  }
}

/** Word of a single page: below 2^53. */
export function pageWord(frame: number, zero: boolean): number {
  return frame * PAGE_SIZE + (zero ? ZERO_PAGE : 0) + RECORD;
}

export function frameOfWord(word: number): number {
  return Math.floor(word / PAGE_SIZE);
}

export function isZeroPage(word: number): boolean {
  return (low(word) & ZERO_PAGE) !== 0;
}

function areaWords({ start, pages, frame, level, writable, hugetlbfs, zero }: Readonly<HostArea>): [number, number, number] {
  const flags =
    RECORD |
    (writable ? WRITABLE : 0) |
    (frame >= 0 ? THERE : 0) |
    (level << LEVEL_SHIFT) |
    (hugetlbfs ? HUGETLBFS : 0) |
    (zero ? ZERO_AREA : 0);
  return [start * PAGE_SIZE, pages, Math.max(frame, 0) * PAGE_SIZE + flags];
}

/**
 * The host page behind a virtual address, at some point of a run.
 *
 * @param owner VM whose slots name the address
 * @returns null when no page is there (not mapped, not touched yet, reclaimed)
 */
export function hostPageAt(spaces: Spaces, owner: number, hva: number): HostPage | null {
  const page = Math.floor(hva / PAGE_SIZE);
  const area = hostAreas(spaces, owner).find(({ start, pages }) => start <= page && page < start + pages) ?? null;
  if (area === null) return null;
  if (area.frame >= 0) {
    const { frame, start, writable, zero } = area;
    return { frame: frame + page - start, level: levelIn(area, page), writable: writable && !zero, zero };
  }
  const word = number(spaces.space(Space.hostPage), PAGE.encode({ owner, page }));
  if (word === 0) return null;
  const zero = isZeroPage(word);
  return { frame: frameOfWord(word), level: 1, writable: area.writable && !zero, zero };
}

/** All areas of an owner, in no particular order. */
export function hostAreas(spaces: Spaces, owner: number): HostArea[] {
  const count = number(spaces.space(Space.hostArea), areaKey(owner, 0, COUNT_FIELD));
  const areas: HostArea[] = [];
  for (let id = 0; id < count; id++) {
    const area = hostArea(spaces, owner, id);
    if (area) areas.push(area);
  }
  return areas;
}

/** An area by its number; null when it is there no more. */
export function hostArea(spaces: Spaces, owner: number, id: number): HostArea | null {
  const areas = spaces.space(Space.hostArea);
  const word = (field: number): number => number(areas, areaKey(owner, id, field));
  const last = word(2);
  if (last === 0) return null;
  return {
    start: Math.floor(word(0) / PAGE_SIZE),
    pages: word(1),
    frame: (low(last) & THERE) !== 0 ? Math.floor(last / PAGE_SIZE) : -1,
    level: (low(last) >>> LEVEL_SHIFT) & 3,
    writable: (low(last) & WRITABLE) !== 0,
    hugetlbfs: (low(last) & HUGETLBFS) !== 0,
    zero: (low(last) & ZERO_AREA) !== 0,
  };
}

/** An area by a key of {@link Space.hostArea}; null: the key is not of one. */
export function areaOf(key: number): { readonly owner: number; readonly area: number } | null {
  const { owner, area, field } = AREA.decode(key);
  return field === COUNT_FIELD ? null : { owner, area };
}

function areaKey(owner: number, area: number, field: number): number {
  return AREA.encode({ owner, area, field });
}

function number(words: WordMap, key: number): number {
  return join(words.lo(key), words.hi(key));
}
