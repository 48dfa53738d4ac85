/** Guest-physical mappings (§3.10): whole translations by a second stage, with its rights, fully associative. */
import type { Journal } from '../journal/journal';
import { Kind } from '../journal/events';
import { FRAME_HIGH, FRAME_LOW } from '../x86/entries';
import { ACCESS_RIGHTS_MASK } from '../x86/permissions';
import type { TranslationCache } from '../x86/walk-caches';
import { CLASS_SHIFTS, PageClass, RIGHTS_MASK, TlbArray, classOf, hitBy, lineKey } from './tlb-array';

export class MappingCache implements TranslationCache {
  readonly array: TlbArray;
  /** Tag of what is walked now; 0: nothing is looked up or kept. */
  tag = 0;
  /** Mappings used so far. */
  uses = 0;

  // What `find` found.
  frameLo = 0;
  frameHi = 0;
  rights = 0;
  level = 1;

  constructor(
    private readonly journal: Journal,
    processor: number,
    firstLine: number,
    entries: number,
    /** `structure` of the tlb_hit rows. */
    private readonly structure: number,
  ) {
    this.array = new TlbArray(journal, processor, firstLine, 1, entries);
  }

  find(lo: number, hi: number, access: number, permitted: Uint8Array): boolean {
    const { array } = this;
    if (this.tag === 0 || array.used === 0) return false;
    for (let pageClass = PageClass.page4K; pageClass <= PageClass.page1G; pageClass++) {
      const line = array.find(0, lineKey(lo, pageClass, this.tag), hi);
      if (line < 0) continue;
      const frame = array.frame(line);
      if (permitted[((access & ACCESS_RIGHTS_MASK) << 7) | (frame & RIGHTS_MASK)] === 0) continue;
      array.touch(line);
      this.uses++;
      this.frameLo = frame & FRAME_LOW;
      this.frameHi = array.frameHi(line) & FRAME_HIGH;
      this.rights = frame & RIGHTS_MASK;
      this.level = pageClass + 1;
      this.journal.row(Kind.tlb_hit, 0, hitBy(this.structure, this.tag), lo, hi, this.frameLo, this.frameHi);
      return true;
    }
    return false;
  }

  add(lo: number, hi: number, shift: number, hostLo: number, hostHi: number, rights: number): void {
    if (this.tag === 0) return;
    const pageClass = classOf(shift);
    const round = CLASS_SHIFTS[pageClass];
    this.array.put(0, lineKey(lo, pageClass, this.tag), hi, ((hostLo >>> round) << round) | rights, hostHi);
  }
}
