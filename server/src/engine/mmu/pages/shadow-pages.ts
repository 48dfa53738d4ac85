/**
 * The shadow pages of one VM: hash by guest frame and role, list in order of creation, and their number (§5.1.1, §5.10;
 * mmu.c: kvm_mmu_alloc_shadow_page, for_each_valid_sp).
 */
import type { Journal } from '../../journal/journal';
import { Space, SPACES, VmField } from '../../journal/spaces';
import type { FrameSupply } from '../../memory/frames';
import type { WordMemory } from '../../memory/hypervisor-memory';
import { ShadowPage } from './shadow-page';
import type { Spte } from './spte';

const NONE: readonly ShadowPage[] = [];

export class ShadowPages {
  /** Pages in order of creation; not the TDP MMU's, nor roots that were zapped while in use (active_mmu_pages). */
  readonly active = new Set<ShadowPage>();
  private readonly hash = new Map<number, ShadowPage[]>();
  private readonly byFrame = new Map<number, ShadowPage>();
  private readonly fields = new Int32Array(4);

  constructor(
    private readonly journal: Journal,
    private readonly vm: number,
    private readonly memory: WordMemory,
    private readonly frames: FrameSupply,
    /** {@link Space.shadowPage}: whose memory the tables lie in. */
    private readonly memoryOf: number,
  ) {}

  get validGeneration(): number {
    return this.fields[VmField.validGeneration];
  }

  flipGeneration(): void {
    this.set(VmField.validGeneration, this.validGeneration ^ 1);
  }

  /** n_used_mmu_pages: pages that count against the limit. */
  get used(): number {
    return this.fields[VmField.usedPages];
  }

  /** n_max_mmu_pages */
  get max(): number {
    return this.fields[VmField.maxPages];
  }

  set max(pages: number) {
    this.set(VmField.maxPages, pages);
  }

  /** Live pages that mirror a guest table (indirect_shadow_pages). */
  get indirect(): number {
    return this.fields[VmField.indirectPages];
  }

  set indirect(pages: number) {
    this.set(VmField.indirectPages, pages);
  }

  /** The page whose table is in a frame (sptep_to_sp, to_shadow_page). */
  at(frame: number): ShadowPage | null {
    return this.byFrame.get(frame) ?? null;
  }

  /** The page that an entry's address lies in. */
  holding(spte: number): ShadowPage | null {
    return this.at(Math.floor(spte / 4096));
  }

  /** Valid pages of a guest frame, newest first. A list of its own. */
  valid(gfn: number): ShadowPage[] {
    const pages = this.hash.get(gfn) ?? NONE;
    return pages.filter((page) => !this.obsolete(page));
  }

  /** Valid pages of a guest frame that mirror a table there. */
  mirrors(gfn: number): ShadowPage[] {
    return this.valid(gfn).filter((page) => page.hasGuestEntries);
  }

  /** is_obsolete_sp */
  obsolete(page: ShadowPage): boolean {
    return page.invalid || page.validGeneration !== this.validGeneration;
  }

  /** A page in hash and list, which is still to {@link appear}. Null: no frame is left. */
  create(gfn: number, role: number): ShadowPage | null {
    const page = this.allocate(gfn, role, false);
    if (page === null) return null;
    this.active.add(page);
    const pages = this.hash.get(gfn);
    if (pages === undefined) this.hash.set(gfn, [page]);
    else pages.unshift(page);
    return page;
  }

  /** A page of the TDP MMU, which is still to {@link appear}. Null: no frame is left. */
  createTdp(gfn: number, role: number): ShadowPage | null {
    return this.allocate(gfn, role, true);
  }

  /** A new page stands in the journal from here on, with an empty table. */
  appear(page: ShadowPage, empty: Spte): void {
    page.appear();
    if (!page.tdpMmu) this.set(VmField.usedPages, this.used + 1);
    if (page.hasGuestEntries) this.indirect++;
    for (let address = page.address; address < page.address + 4096; address += 8) {
      // Frames come back with old entries in them.
      if (this.memory.low(address) !== empty.lo || this.memory.high(address) !== empty.hi) this.memory.write(address, empty.lo, empty.hi);
    }
  }

  /** It does not count any more, as it is about to be freed (kvm_unaccount_mmu_page). */
  discount(): void {
    this.set(VmField.usedPages, this.used - 1);
  }

  /** The end of a page that nothing points to. */
  free(page: ShadowPage): void {
    if (!page.tdpMmu) {
      this.active.delete(page);
      const pages = this.hash.get(page.gfn) ?? [];
      const at = pages.indexOf(page);
      if (at >= 0) pages.splice(at, 1);
      if (pages.length === 0) this.hash.delete(page.gfn);
    }
    this.byFrame.delete(page.frame);
    page.event('kvm_mmu_free_shadow_page');
    page.forget();
    this.frames.release(page.frame, 1);
  }

  /** All pages, in no particular order. */
  all(): IterableIterator<ShadowPage> {
    return this.byFrame.values();
  }

  private allocate(gfn: number, role: number, tdpMmu: boolean): ShadowPage | null {
    const frame = this.frames.allocate(1, 1, 0);
    if (frame < 0) return null;
    const page = new ShadowPage(this.journal, frame, gfn, role, this.validGeneration, tdpMmu, this.memoryOf);
    this.byFrame.set(frame, page);
    return page;
  }

  private set(field: VmField, value: number): void {
    this.journal.change(Space.vm, SPACES[Space.vm].key.encode({ vm: this.vm, field }), this.fields[field] ^ value, 0);
    this.fields[field] = value;
  }
}
