/**
 * The TDP MMU (§6.2, §6.5, §6.6; tdp_mmu.c): EPT or nested tables as one radix tree a role, GPA → HPA, outside hash and
 * reverse maps. Every change of an entry is a kvm_tdp_mmu_spte_changed event.
 */
import type { Slot } from '../../memory/slots';
import { RetPf } from '../../journal/enumerations';
import type { Kvm } from '../pages/kvm';
import { makeLeaf } from '../pages/make-leaf';
import { ACC_ALL, childRole } from '../pages/role';
import { framesAt, type ShadowPage } from '../pages/shadow-page';
import type { Spte } from '../pages/spte';
import type { TdpMapping, TdpTree } from '../pages/tdp-tree';

type Visit = (page: ShadowPage, index: number, lo: number, hi: number, gfn: number) => void;

export class TdpMmu implements TdpTree {
  private roots: ShadowPage[] = [];

  constructor(private readonly kvm: Kvm) {}

  rootFor(role: number): ShadowPage | null {
    const known = this.roots.find((root) => root.role === role);
    if (known !== undefined) return known;
    const root = this.newPage(0, role);
    if (root !== null) this.roots.push(root);
    return root;
  }

  get validRoots(): readonly ShadowPage[] {
    return this.roots.filter((root) => !root.invalid);
  }

  map(root: ShadowPage, mapping: TdpMapping): RetPf | null {
    const { kvm } = this;
    const { format, tables } = kvm;
    const { gfn } = mapping;
    let page = root;
    for (;;) {
      const index = indexFor(gfn, page.level);
      const at = page.entryAddress(index);
      const lo = tables.low(at);
      const hi = tables.high(at);
      if (page.level === mapping.level) return this.mapTarget(page, index, mapping);
      if (format.present(lo) && !format.large(lo)) {
        const child = kvm.childOf(lo, hi);
        if (child === null) return RetPf.retry;
        page = child;
        continue;
      }
      const splits = format.present(lo) && kvm.rules.hugeInTheWayIsSplit;
      if (format.present(lo) && !splits) this.zapEntry(page, index);
      const child = this.newPage(gfn - (gfn % framesAt(page.level)), childRole(page.role, index, true, ACC_ALL));
      if (child === null) return null;
      if (splits) this.splitInto(child, page, index, lo, hi);
      else this.link(page, index, child);
      page = child;
    }
  }

  private mapTarget(page: ShadowPage, index: number, { gfn: wanted, slot, pfn, hostWritable, write }: TdpMapping): RetPf {
    const { kvm } = this;
    const { format, tables, trace } = kvm;
    const at = page.entryAddress(index);
    const oldLo = tables.low(at);
    const oldHi = tables.high(at);
    const gfn = wanted - (wanted % framesAt(page.level));
    const { spte, refused } =
      slot === null
        ? { spte: format.mmio(gfn, ACC_ALL, kvm.mmioGeneration), refused: false }
        : makeLeaf(kvm, { page, slot, access: ACC_ALL, gfn, pfn, oldLo, prefetch: false, canUnsync: true, hostWritable });
    const { lo, hi } = spte;
    let result = RetPf.fixed;
    if (lo === oldLo && hi === oldHi) result = RetPf.spurious;
    else {
      this.change(page, index, spte);
      if (format.present(oldLo) && !format.last(oldLo, page.level)) kvm.flushRemoteTlbs(gfn, framesAt(page.level));
    }
    if (refused && write) result = RetPf.writeProtected;
    if (slot === null) {
      trace.emit('mark_mmio_spte', { access: lo & 7, gfn, spte: { lo, hi }, gen: format.mmioGeneration(lo, hi), sptep: at });
      return RetPf.emulate;
    }
    trace.emit('kvm_mmu_set_spte', { gfn, spte: { lo, hi }, at, level: page.level });
    return result;
  }

  last(root: ShadowPage, gfn: number): { page: ShadowPage; at: number } {
    const { format, tables } = this.kvm;
    let page = root;
    for (;;) {
      const at = page.entryAddress(indexFor(gfn, page.level));
      const lo = tables.low(at);
      if (!format.present(lo) || format.last(lo, page.level)) return { page, at };
      const child = this.kvm.childOf(lo, tables.high(at));
      if (child === null) return { page, at };
      page = child;
    }
  }

  protectFrame(gfn: number, fromLevel: number): boolean {
    const { format } = this.kvm;
    let changed = false;
    this.leaves(gfn, gfn + 1, fromLevel, (page, index, lo, hi) => {
      const spte = format.protect(lo, hi, true);
      if (spte.lo === lo && spte.hi === hi) return;
      this.change(page, index, spte);
      changed = true;
    });
    return changed;
  }

  protectSlot(slot: Slot, fromLevel: number): void {
    const { format } = this.kvm;
    this.leaves(slot.gfn, slot.gfn + slot.pages, fromLevel, (page, index, lo, hi) => {
      if (format.writable(lo)) this.change(page, index, format.protect(lo, hi, false));
    });
  }

  rearm(start: number, end: number, byProtection: boolean): void {
    const { format } = this.kvm;
    this.leaves(start, end, 1, (page, index, lo, hi) => {
      if (page.level > 1) return;
      if (byProtection || format.adNeedsWriteProtection(hi)) {
        if (format.writable(lo)) this.change(page, index, format.protect(lo, hi, false));
      } else if (format.dirtyFlag(lo)) this.change(page, index, format.clearDirty(lo, hi));
    });
  }

  zapRange(start: number, end: number): boolean {
    let zapped = false;
    this.leaves(start, end, 1, (page, index) => {
      this.change(page, index, this.kvm.format.empty);
      zapped = true;
    });
    return zapped;
  }

  zapCollapsible(slot: Slot, maxLevel: (gfn: number) => number): void {
    const { format } = this.kvm;
    const end = slot.gfn + slot.pages;
    this.visit(slot.gfn, end, 2, (page, index, lo, _hi, gfn) => {
      if (page.level > 3 || format.last(lo, page.level) || gfn < slot.gfn || gfn >= end || maxLevel(gfn) < page.level) return;
      this.zapEntry(page, index);
    });
  }

  /** An entry goes by way of the mark of removal, so that nobody sets it before translations are flushed (tdp_mmu_zap_spte_atomic). */
  private zapEntry(page: ShadowPage, index: number): void {
    const { kvm } = this;
    const { format, tables, trace } = kvm;
    const { level } = page;
    const at = page.entryAddress(index);
    const gfn = page.gfn + index * framesAt(level);
    const [oldLo, oldHi] = [tables.low(at), tables.high(at)];
    const event = trace.journal.length;
    if (kvm.rules.zapToldAfterFlush) {
      trace.emit('tdp_mmu_zap_spte_atomic', { gfn, spte: { lo: oldLo, hi: oldHi }, sptep: at, level });
      kvm.setSpte(at, format.removed);
    } else this.change(page, index, format.removed);
    kvm.flushRemoteTlbs(gfn, framesAt(level));
    trace.journal.goesOn(event);
    kvm.setSpte(at, format.empty);
    if (!kvm.rules.zapToldAfterFlush) return;
    this.changed(page, index, oldLo, oldHi, format.empty);
    this.followed(page, oldLo, oldHi, format.empty);
  }

  splitHuge(start: number, end: number): void {
    const { format } = this.kvm;
    for (let level = 3; level > 1; level--) {
      this.leaves(start, end, level, (page, index, lo, hi, gfn) => {
        if (page.level !== level || !format.large(lo)) return;
        const child = this.newPage(gfn, childRole(page.role, index, true, ACC_ALL));
        if (child !== null) this.splitInto(child, page, index, lo, hi);
      });
    }
  }

  invalidateRoots(): void {
    for (const root of this.roots) root.invalidate();
  }

  /**
   * First what hangs below 1G entries, then the top; or level by level (tdp_mmu_zap_root). Nobody need flush: whoever loads a root does
   * (kvm_tdp_mmu_zap_invalidated_roots).
   */
  zapInvalidRoots(): void {
    const invalid = this.roots.filter((root) => root.invalid);
    this.roots = this.roots.filter((root) => !root.invalid);
    for (const root of invalid) {
      for (const level of this.kvm.rules.teardownByLevels ? [1, 2, 3, root.level] : [3, root.level]) {
        this.visitFrom(root, 0, Infinity, level, (page, index) => {
          if (page.level <= level) this.change(page, index, this.kvm.format.empty);
        });
      }
      this.release(root);
    }
  }

  /** A root that no vCPU holds any more, or a table that is taken out. */
  private release(page: ShadowPage): void {
    if (page.rootCount === 0) this.kvm.pages.free(page);
  }

  /** Valid ones wait for the next vCPU. */
  putRoot(root: ShadowPage): void {
    root.rootCount--;
    if (root.invalid && !this.roots.includes(root)) this.release(root);
  }

  /** Set an entry, with what follows from it for a table that it pointed to (__handle_changed_spte). */
  private change(page: ShadowPage, index: number, spte: Spte): void {
    const { kvm } = this;
    const { tables } = kvm;
    const at = page.entryAddress(index);
    const oldLo = tables.low(at);
    const oldHi = tables.high(at);
    this.changed(page, index, oldLo, oldHi, spte);
    kvm.setSpte(at, spte);
    this.followed(page, oldLo, oldHi, spte);
  }

  /** The table that an entry pointed to goes with it. */
  private followed({ level }: ShadowPage, oldLo: number, oldHi: number, { lo }: Spte): void {
    const { format } = this.kvm;
    if (!format.present(oldLo) || format.last(oldLo, level) || (format.present(lo) && !format.last(lo, level))) return;
    const child = this.kvm.childOf(oldLo, oldHi);
    if (child !== null) this.remove(child);
  }

  /** A table is out of the tree: each entry gets the mark of removal, tables below go too (handle_removed_pt). */
  private remove(page: ShadowPage): void {
    const { kvm } = this;
    const { format, tables } = kvm;
    page.event('kvm_mmu_prepare_zap_page');
    for (let index = 0; index < 512; index++) {
      const at = page.entryAddress(index);
      const lo = tables.low(at);
      const hi = tables.high(at);
      this.changed(page, index, lo, hi, format.removed);
      kvm.setSpte(at, format.removed);
      if (!format.present(lo) || format.last(lo, page.level)) continue;
      const child = kvm.childOf(lo, hi);
      if (child !== null) this.remove(child);
    }
    kvm.pages.free(page);
  }

  /** The row of a change that is about to be made. */
  private changed(page: ShadowPage, index: number, oldLo: number, oldHi: number, { lo, hi }: Spte): void {
    if (oldLo === lo && oldHi === hi) return;
    this.kvm.trace.emit('kvm_tdp_mmu_spte_changed', {
      gfn: page.gfn + index * framesAt(page.level),
      old_spte: { lo: oldLo, hi: oldHi },
      new_spte: { lo, hi },
      level: page.level,
    });
  }

  private link(page: ShadowPage, index: number, child: ShadowPage): void {
    const { format } = this.kvm;
    this.change(page, index, format.nonLeaf(child.frame, !format.accessedDirty));
    child.parents.add(page.entryAddress(index));
  }

  /** A table of small leaves in place of a huge one (tdp_mmu_split_huge_page). */
  private splitInto(child: ShadowPage, page: ShadowPage, index: number, lo: number, hi: number): void {
    const { kvm } = this;
    const { format } = kvm;
    for (let i = 0; i < 512; i++) {
      kvm.setSpte(child.entryAddress(i), format.splitPiece(lo, hi, child.level, i));
    }
    this.link(page, index, child);
    kvm.trace.emit('kvm_mmu_split_huge_page', { gfn: child.gfn, spte: { lo, hi }, level: page.level });
  }

  private newPage(gfn: number, role: number): ShadowPage | null {
    const { pages, format } = this.kvm;
    const page = pages.createTdp(gfn, role);
    if (page !== null) pages.appear(page, format.empty);
    return page;
  }

  /** Present leaves of all valid roots that map [start, end), at a level or above. */
  private leaves(start: number, end: number, fromLevel: number, found: Visit): void {
    const { format } = this.kvm;
    this.visit(start, end, fromLevel, (page, index, lo, hi, gfn) => {
      if (format.last(lo, page.level)) found(page, index, lo, hi, gfn);
    });
  }

  private visit(start: number, end: number, fromLevel: number, found: Visit): void {
    for (const root of this.validRoots) this.visitFrom(root, start, end, fromLevel, found);
  }

  /** Present entries from a page down to a level, in order, each before what hangs below it as it then is. */
  private visitFrom(page: ShadowPage, start: number, end: number, fromLevel: number, found: Visit): void {
    const { format, tables } = this.kvm;
    const size = framesAt(page.level);
    const first = Math.max(Math.floor((start - page.gfn) / size), 0);
    const last = Math.min(Math.ceil((end - page.gfn) / size), 512);
    for (let index = first; index < last; index++) {
      const at = page.entryAddress(index);
      const lo = tables.low(at);
      if (!format.present(lo)) continue;
      found(page, index, lo, tables.high(at), page.gfn + index * size);
      const now = tables.low(at);
      if (page.level <= fromLevel || !format.present(now) || format.last(now, page.level)) continue;
      const child = this.kvm.childOf(now, tables.high(at));
      if (child !== null) this.visitFrom(child, start, end, fromLevel, found);
    }
  }
}

function indexFor(gfn: number, level: number): number {
  return Math.floor(gfn / framesAt(level)) % 512;
}
