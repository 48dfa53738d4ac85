/** Questions to a VM's MMU about one guest frame (inspection.ts: pageState). */
import type { Kvm } from '../pages/kvm';

export type PageState = 'write-protected' | 'tracked' | 'unsync' | 'synced' | 'shadowed';

export function pageState(kvm: Kvm, gfn: number, state: PageState): boolean {
  const mirrors = kvm.pages.mirrors(gfn);
  switch (state) {
    case 'tracked':
      return kvm.track.tracked(gfn);
    case 'shadowed':
      return mirrors.length > 0;
    case 'unsync':
      return mirrors.some((page) => page.unsync);
    case 'synced':
      return mirrors.length > 0 && mirrors.every((page) => !page.unsync);
    case 'write-protected':
      return protectedByShadow(kvm, gfn) || mappedReadOnly(kvm, gfn);
  }
}

/** A write to the frame would have to be seen: a table of level 2 or above, or one of level 1 in step, is shadowed there. */
export function protectedByShadow(kvm: Kvm, gfn: number): boolean {
  return kvm.track.tracked(gfn) || kvm.pages.mirrors(gfn).some((page) => !page.unsync);
}

/** It is mapped, and by no leaf that can be written. */
function mappedReadOnly(kvm: Kvm, gfn: number): boolean {
  const { format, tables } = kvm;
  let mapped = false;
  for (let level = 1; level <= 3; level++) {
    for (const at of kvm.rmap.of(gfn, level)) {
      if (format.writable(tables.low(at))) return false;
      mapped = true;
    }
  }
  for (const root of kvm.tdpMmu?.validRoots ?? []) {
    const { page, at } = kvm.tdpMmu!.last(root, gfn);
    const lo = tables.low(at);
    if (!format.present(lo) || !format.last(lo, page.level)) continue;
    if (format.writable(lo)) return false;
    mapped = true;
  }
  return mapped;
}
