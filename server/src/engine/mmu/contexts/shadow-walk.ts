/** The way of an address through a hypervisor's tables, from the current root down (mmu.c: kvm_shadow_walk_iterator). */
import type { Kvm } from '../pages/kvm';
import { framesAt, indexOf } from '../pages/shadow-page';
import { isDummy, type Root } from './roots';

/** Index of an address in a table of 512 entries. */
function tableIndex(lo: number, hi: number, level: number): number {
  const shift = 3 + 9 * level;
  return (shift < 32 ? (lo >>> shift) | (hi << (32 - shift)) : hi >>> (shift - 32)) & 511;
}

export class ShadowWalk {
  /** Level of the entry reached; 0: the walk is over. */
  level = 0;
  /** Address of the entry. */
  at = 0;
  private table = 0;

  constructor(
    private readonly kvm: Kvm,
    private readonly lo: number,
    private readonly hi: number,
    root: Root,
  ) {
    if (root.hpa < 0 || isDummy(root)) return;
    this.table = root.hpa;
    this.level = root.level;
    if (root.pae) {
      // The top are four entries in a page of the vCPU, for one gigabyte each.
      const at = root.hpa + ((lo >>> 30) & 3) * 8;
      const entry = kvm.tables.low(at);
      this.table = kvm.format.pfn(entry, kvm.tables.high(at)) * 4096;
      this.level = entry === 0 ? 0 : 2;
    }
    this.place();
  }

  get ok(): boolean {
    return this.level > 0;
  }

  /** Down to the table that the entry points to; over when it is a leaf or empty. */
  next(): void {
    const { format, tables } = this.kvm;
    const lo = tables.low(this.at);
    if (!format.present(lo) || format.last(lo, this.level)) {
      this.level = 0;
      return;
    }
    this.table = format.pfn(lo, tables.high(this.at)) * 4096;
    this.level--;
    this.place();
  }

  private place(): void {
    if (this.level > 0) this.at = this.table + tableIndex(this.lo, this.hi, this.level) * 8;
  }
}

/** Guest-physical address behind a linear one that shadow tables led to a host-physical address; null: it cannot be said. */
export function gpaByShadow(kvm: Kvm, root: Root, lo: number, hi: number, host: number): number | null {
  for (const walk = new ShadowWalk(kvm, lo, hi, root); walk.ok; walk.next()) {
    const spteLo = kvm.tables.low(walk.at);
    if (!kvm.format.present(spteLo) || !kvm.format.last(spteLo, walk.level)) continue;
    const page = kvm.pages.holding(walk.at);
    const offset = Math.floor(host / 4096) - kvm.format.pfn(spteLo, kvm.tables.high(walk.at));
    if (page === null || offset < 0 || offset >= framesAt(walk.level)) return null;
    return (page.gfnAt(indexOf(walk.at)) + offset) * 4096 + (host % 4096);
  }
  return null;
}
