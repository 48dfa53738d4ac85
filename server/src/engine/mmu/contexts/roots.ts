/**
 * Roots of one MMU context: the current one and up to three previous ones (§5.8, §5.9; mmu.c: kvm_mmu_new_pgd,
 * cached_root_find_and_keep_current, kvm_mmu_free_roots).
 */
import type { Kvm } from '../pages/kvm';
import type { ShadowPage } from '../pages/shadow-page';
import { prepareZap, commitZap } from '../pages/zap';

export interface Root {
  /** Address of the table; -1: none. */
  hpa: number;
  /** Of the guest's own root, as its register has it. */
  pgdLo: number;
  pgdHi: number;
  /** Null: four PAE entries of the vCPU, or the dummy root. */
  page: ShadowPage | null;
  level: number;
  /** The table has four PAE entries, and these pages stand in them. */
  pae: readonly ShadowPage[] | null;
}

/** It stands for a guest's root in no slot (kvm_mmu_is_dummy_root). */
export function isDummy({ hpa, page, pae }: Root): boolean {
  return hpa >= 0 && page === null && pae === null;
}

export const NO_ROOT: Readonly<Root> = { hpa: -1, pgdLo: 0, pgdHi: 0, page: null, level: 0, pae: null };

export class Roots {
  current: Root = { ...NO_ROOT };
  previous: Root[];

  constructor(private readonly kvm: Kvm) {
    const cached = Math.min(Math.max(Math.floor(kvm.options.cachedRoots) || 0, 0), 3);
    this.previous = Array.from({ length: cached }, () => ({ ...NO_ROOT }));
  }

  /**
   * Switch to a root that is still known (fast_pgd_switch): rotates the cache so that the root left is the first previous one.
   *
   * @returns false: none fits, the current root is gone, and one must be built
   */
  switchTo(pgdLo: number, pgdHi: number, role: number, direct: boolean): boolean {
    if (this.current.hpa >= 0 && this.current.page === null) this.freeCurrent();
    const fits = (root: Root): boolean =>
      root.hpa >= 0 && root.page !== null && root.page.role === role && (direct || (root.pgdLo === pgdLo && root.pgdHi === pgdHi));
    if (this.current.hpa < 0) return this.takeWithoutCurrent(fits);
    if (fits(this.current)) return true;
    for (let i = 0; i < this.previous.length; i++) {
      [this.current, this.previous[i]] = [this.previous[i], this.current];
      if (fits(this.current)) return true;
    }
    this.freeCurrent();
    return false;
  }

  private takeWithoutCurrent(fits: (root: Root) => boolean): boolean {
    const at = this.previous.findIndex(fits);
    if (at < 0) return false;
    [this.current] = this.previous.splice(at, 1);
    this.previous.push({ ...NO_ROOT });
    return true;
  }

  freeCurrent(): void {
    this.free([this.current]);
    this.current = { ...NO_ROOT };
  }

  /** Free previous roots that fit. */
  freePrevious(fits: (root: Root) => boolean): void {
    const going = this.previous.filter((root) => root.hpa >= 0 && fits(root));
    this.free(going);
    this.previous = this.previous.map((root) => (going.includes(root) ? { ...NO_ROOT } : root));
  }

  freeAll(): void {
    const all = [...this.previous.filter((root) => root.hpa >= 0), this.current];
    this.previous = this.previous.map(() => ({ ...NO_ROOT }));
    this.current = { ...NO_ROOT };
    this.free(all);
  }

  /** Roots that were zapped or belong to an old generation; those without a page of their own count as such. */
  freeObsolete(): void {
    this.freeFitting((root) => root.page === null || this.kvm.pages.obsolete(root.page));
  }

  /** Free what fits: as everywhere, previous ones before the current one (kvm_mmu_free_roots). */
  freeFitting(fits: (root: Root) => boolean): void {
    const going = [...this.previous, this.current].filter((root) => root.hpa >= 0 && fits(root));
    this.previous = this.previous.map((root) => (going.includes(root) ? { ...NO_ROOT } : root));
    if (going.includes(this.current)) this.current = { ...NO_ROOT };
    this.free(going);
  }

  private free(roots: readonly Root[]): void {
    const invalid: ShadowPage[] = [];
    for (const root of roots) {
      if (root.hpa < 0) continue;
      for (const page of root.pae ?? (root.page === null ? [] : [root.page])) this.put(page, invalid);
    }
    commitZap(this.kvm, invalid);
  }

  /** mmu_free_root_page */
  private put(page: ShadowPage, invalid: ShadowPage[]): void {
    page.event('mmu_free_root_page');
    if (page.tdpMmu) {
      this.kvm.tdpMmu?.putRoot(page);
      return;
    }
    page.rootCount--;
    if (page.rootCount === 0 && page.invalid) prepareZap(this.kvm, page, invalid);
  }
}
