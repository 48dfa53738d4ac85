/** All entries of a VM's tables that say something, for checks of invariants. */
import type { Kvm } from '../pages/kvm';
import { Role } from '../pages/role';
import type { ShadowPage } from '../pages/shadow-page';

export interface LeafSeen {
  readonly page: ShadowPage;
  readonly index: number;
  readonly at: number;
  readonly lo: number;
  readonly hi: number;
  readonly gfn: number;
  readonly level: number;
  /** An MMIO spte: nothing is mapped. */
  readonly mmio: boolean;
}

/** Pages that can be walked: not zapped, nor of an old generation. */
export function livePages(kvm: Kvm): ShadowPage[] {
  return [...kvm.pages.all()].filter((page) => (page.tdpMmu ? (page.role & Role.invalid) === 0 : !kvm.pages.obsolete(page)));
}

export function leavesOf(kvm: Kvm): LeafSeen[] {
  const { format, tables } = kvm;
  const leaves: LeafSeen[] = [];
  for (const page of livePages(kvm)) {
    for (let index = 0; index < 512; index++) {
      const at = page.entryAddress(index);
      const lo = tables.low(at);
      const hi = tables.high(at);
      const mmio = format.isMmio(lo, hi);
      if (!mmio && !(format.present(lo) && format.last(lo, page.level))) continue;
      const gfn = mmio ? format.mmioGfn(lo, hi) : page.gfnAt(index);
      leaves.push({ page, index, at, lo, hi, gfn, level: page.level, mmio });
    }
  }
  return leaves;
}
