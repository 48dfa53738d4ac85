/**
 * The cached translations of one processor: L1 by page size, a shared L2 for 4K and 2M pages, guest-physical mappings, and the
 * paging-structure caches of both stages (§2.10, §3.10). What invalidates what is here; what is used when, in
 * processor.ts.
 */
import { Structure } from '../journal/enumerations';
import type { Journal } from '../journal/journal';
import type { TlbConfig } from '../program';
import { MappingCache } from './mapping-cache';
import { HIGHEST, LOWEST, StructureCache, covers } from './structure-cache';
import { Tags, type Tag } from './tags';
import { CLASS_SHIFTS, GLOBAL_LINE, PageClass, TAG_MASK, TlbArray, classOf, keyClass, lineKey } from './tlb-array';

/** First lines of the arrays, within a processor's keys. */
export const FIRST_LINE = {
  l1: 0,
  l1Page2M: 0x2_0000,
  l1Page1G: 0x4_0000,
  l2: 0x6_0000,
  guestPhysical: 0x10_0000,
  pagingStructure: 0x12_0000,
  secondStructure: 0x14_0000,
} as const;

const MOST_SETS = 4096;
const MOST_WAYS = 32;
const MOST_STRUCTURE_ENTRIES = 1024;

/** log2 of the guest's page by the class in a line's frameHi bits 25:24; class 3 is a 4 MiB page. */
const GUEST_SHIFTS = [...CLASS_SHIFTS, 22];
const GUEST_CLASS_SHIFT = 24;

export class Tlb {
  readonly l1: TlbArray;
  readonly l1Page2M: TlbArray;
  readonly l1Page1G: TlbArray;
  readonly l2: TlbArray;
  /** null: paging-structure caches and guest-physical mappings are off. */
  readonly guestPhysical: MappingCache | null = null;
  readonly structures: StructureCache | null = null;
  readonly secondStructures: StructureCache | null = null;
  readonly tags: Tags;

  private readonly mappings: readonly TlbArray[];
  /** Tags that an invalidation is about. */
  private readonly selected = new Uint8Array(TAG_MASK + 1);

  constructor(
    journal: Journal,
    config: TlbConfig,
    readonly processor: number,
  ) {
    const array = (line: number, sets: number, ways: number, together = true): TlbArray =>
      new TlbArray(journal, processor, line, config.on ? sets : 1, config.on ? ways : 1, together);
    const sets1 = powerOfTwo(config.l1.sets);
    const ways1 = whole(config.l1.ways, MOST_WAYS);
    this.l1 = array(FIRST_LINE.l1, sets1, ways1);
    this.l1Page2M = array(FIRST_LINE.l1Page2M, Math.max(sets1 >>> 1, 1), ways1);
    this.l1Page1G = array(FIRST_LINE.l1Page1G, 1, ways1);
    this.l2 = array(FIRST_LINE.l2, powerOfTwo(config.l2.sets), whole(config.l2.ways, MOST_WAYS), false);
    const entries = structureEntries(config);
    if (entries > 0) {
      this.guestPhysical = new MappingCache(journal, processor, FIRST_LINE.guestPhysical, entries, Structure.guestPhysical);
      this.structures = new StructureCache(journal, processor, FIRST_LINE.pagingStructure, entries, Structure.pagingStructure);
      this.secondStructures = new StructureCache(journal, processor, FIRST_LINE.secondStructure, entries, Structure.secondStructure);
    }
    this.tags = new Tags(journal, processor);
    this.mappings = [this.l1, this.l1Page2M, this.l1Page1G, this.l2];
  }

  /** All of it, array by array. */
  get arrays(): readonly TlbArray[] {
    const { mappings, guestPhysical, structures, secondStructures } = this;
    return [
      ...mappings,
      ...(guestPhysical ? [guestPhysical.array] : []),
      ...(structures?.arrays ?? []),
      ...(secondStructures?.arrays ?? []),
    ];
  }

  /** Paging-structure entries and guest-physical mappings used so far. */
  get partsUsed(): number {
    if (this.guestPhysical === null) return 0;
    return this.structures!.uses + this.secondStructures!.uses + this.guestPhysical.uses;
  }

  /**
   * Cache a linear or combined mapping of the page around an address. L2 has global pages once, under `globalTag`.
   *
   * @param frame value word without the address: `Rights` and GLOBAL_LINE
   * @param frameHi upper value word
   */
  fill(
    lo: number,
    hi: number,
    tag: number,
    globalTag: number,
    shift: number,
    hostLo: number,
    frame: number,
    frameHi: number,
    originLo: number,
    originHi: number,
  ): void {
    const pageClass = classOf(shift);
    const mask = pageClass === PageClass.page4K ? ~0xfff : pageClass === PageClass.page2M ? ~0x1f_ffff : ~0x3fff_ffff;
    const value = (hostLo & mask) | frame;
    if (pageClass === PageClass.page4K) {
      const { l1, l2 } = this;
      l2.note(
        l2.put(l2.setOf(lo, hi, 12), (lo & mask) | ((frame & GLOBAL_LINE) !== 0 ? globalTag : tag), hi, value, frameHi),
        originLo & mask,
        originHi,
      );
      l1.note(l1.put(l1.setOf(lo, hi, 12), (lo & mask) | tag, hi, value, frameHi), originLo & mask, originHi);
      return;
    }
    const round = CLASS_SHIFTS[pageClass];
    if (pageClass === PageClass.page2M) {
      const key = lineKey(lo, pageClass, (frame & GLOBAL_LINE) !== 0 ? globalTag : tag);
      this.l2.note(this.l2.put(this.l2.setOf(lo, hi, round), key, hi, value, frameHi), originLo & mask, originHi);
    }
    const l1 = this.l1Of(pageClass);
    l1.note(l1.put(l1.setOf(lo, hi, round), lineKey(lo, pageClass, tag), hi, value, frameHi), originLo & mask, originHi);
  }

  /** L1 takes a mapping over from a line of L2. */
  promote(lo: number, hi: number, tag: number, pageClass: PageClass, from: number): void {
    const { l2 } = this;
    const l1 = this.l1Of(pageClass);
    const set = l1.setOf(lo, hi, CLASS_SHIFTS[pageClass]);
    l1.note(l1.put(set, lineKey(lo, pageClass, tag), hi, l2.frame(from), l2.frameHi(from)), l2.originLo(from), l2.originHi(from));
  }

  l1Of(pageClass: PageClass): TlbArray {
    return pageClass === PageClass.page4K ? this.l1 : pageClass === PageClass.page2M ? this.l1Page2M : this.l1Page1G;
  }

  /** Drop linear and combined mappings, and paging-structure entries, whose tag fits; global pages only if so said. */
  dropTags(fits: (tag: Tag) => boolean, globals: boolean): void {
    this.select((tag) => !tag.guestPhysical && fits(tag));
    for (const array of this.mappings) this.drop(array, (line) => globals || (array.frame(line) & GLOBAL_LINE) === 0);
    this.dropStructures(this.structures, () => true);
  }

  /**
   * Drop the mappings of the page around an address: all lines that are parts of the same guest page.
   *
   * @param structures also the paging-structure entries: all under these tags, or those for the address
   */
  dropPage(lo: number, hi: number, fits: (tag: Tag) => boolean, globals: 'keep' | 'drop', structures: 'all' | 'address'): void {
    this.select((tag) => !tag.guestPhysical && fits(tag));
    for (const array of this.mappings) {
      this.drop(array, (line) => (globals === 'drop' || (array.frame(line) & GLOBAL_LINE) === 0) && inPage(array, line, lo, hi));
    }
    this.dropStructures(this.structures, (cached, line, level) => structures === 'all' || covers(cached, line, level, lo, hi));
  }

  /** Drop global pages of these tags, whatever PCID they were loaded under. */
  dropGlobals(fits: (tag: Tag) => boolean): void {
    this.select((tag) => !tag.guestPhysical && fits(tag));
    for (const array of this.mappings) this.drop(array, (line) => (array.frame(line) & GLOBAL_LINE) !== 0);
  }

  /** Drop global pages of these tags around an address, whatever PCID they were loaded under. */
  dropGlobalPage(lo: number, hi: number, fits: (tag: Tag) => boolean): void {
    this.select((tag) => !tag.guestPhysical && fits(tag));
    for (const array of this.mappings) {
      this.drop(array, (line) => (array.frame(line) & GLOBAL_LINE) !== 0 && inPage(array, line, lo, hi));
    }
  }

  /** Drop guest-physical mappings and second-stage paging-structure entries whose tag fits. */
  dropGuestPhysical(fits: (tag: Tag) => boolean): void {
    if (this.guestPhysical === null) return;
    this.select((tag) => tag.guestPhysical && fits(tag));
    this.drop(this.guestPhysical.array, () => true);
    this.dropStructures(this.secondStructures, () => true);
  }

  /** Drop what serves one guest-physical address. */
  dropGuestPhysicalAddress(lo: number, hi: number, fits: (tag: Tag) => boolean): void {
    if (this.guestPhysical === null) return;
    const { array } = this.guestPhysical;
    this.select((tag) => tag.guestPhysical && fits(tag));
    this.drop(array, (line) => sameRegion(array, line, CLASS_SHIFTS[keyClass(array.key(line))], lo, hi));
    this.dropStructures(this.secondStructures, (cached, line, level) => covers(cached, line, level, lo, hi));
  }

  dropAll(): void {
    this.select(() => true);
    for (const array of this.mappings) this.drop(array, () => true);
    this.dropStructures(this.structures, () => true);
    this.dropGuestPhysical(() => true);
  }

  private select(fits: (tag: Tag) => boolean): void {
    const { selected, tags } = this;
    for (let n = 1; n <= tags.count; n++) selected[n] = fits(tags.of(n)) ? 1 : 0;
  }

  /** Drop the lines of selected tags that fit. */
  private drop(array: TlbArray, fits: (line: number) => boolean): void {
    for (let line = 0; line < array.lines && array.used > 0; line++) {
      const key = array.key(line);
      if (key !== 0 && this.selected[key & TAG_MASK] !== 0 && fits(line)) array.drop(line);
    }
  }

  private dropStructures(cache: StructureCache | null, fits: (array: TlbArray, line: number, level: number) => boolean): void {
    if (cache === null) return;
    for (let level = LOWEST; level <= HIGHEST; level++) {
      const array = cache.arrays[level - LOWEST];
      this.drop(array, (line) => fits(array, line, level));
    }
  }
}

/** Upper value word of a mapping. @param guestShift log2 of the guest's own page */
export function upperValue(hostHi: number, key: number, guestShift: number): number {
  return hostHi | (key << 20) | ((guestShift === 22 ? 3 : classOf(guestShift)) << GUEST_CLASS_SHIFT);
}

/** Is the line part of the guest page that an address lies in? */
function inPage(array: TlbArray, line: number, lo: number, hi: number): boolean {
  return sameRegion(array, line, GUEST_SHIFTS[(array.frameHi(line) >>> GUEST_CLASS_SHIFT) & 3], lo, hi);
}

function sameRegion(array: TlbArray, line: number, shift: number, lo: number, hi: number): boolean {
  return array.keyHi(line) === hi && (array.key(line) ^ lo) >>> shift === 0;
}

/** Entries of each paging-structure cache, and guest-physical mappings, of a processor made so. */
function structureEntries({ on, pagingStructureEntries }: TlbConfig): number {
  return on ? Math.min(Math.max(Math.floor(pagingStructureEntries) || 0, 0), MOST_STRUCTURE_ENTRIES) : 0;
}

/** What a line of these caches is of, and the level of the entries (0: whole guest-physical mappings); null: it is of L1 or L2. */
export function structureLine(line: number, config: TlbConfig): { readonly structure: Structure; readonly level: number } | null {
  if (line < FIRST_LINE.guestPhysical) return null;
  if (line < FIRST_LINE.pagingStructure) return { structure: Structure.guestPhysical, level: 0 };
  const second = line >= FIRST_LINE.secondStructure;
  const first = second ? FIRST_LINE.secondStructure : FIRST_LINE.pagingStructure;
  const level = LOWEST + Math.floor((line - first) / structureEntries(config));
  return { structure: second ? Structure.secondStructure : Structure.pagingStructure, level };
}

function powerOfTwo(sets: number): number {
  return 1 << (31 - Math.clz32(whole(sets, MOST_SETS)));
}

/** A whole number from 1 to most. */
function whole(value: number, most: number): number {
  return Math.min(Math.max(Math.floor(value) || 1, 1), most);
}
