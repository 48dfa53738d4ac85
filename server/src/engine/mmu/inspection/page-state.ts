/** Questions to a VM's MMU about one guest frame (inspection.ts: pageState). */
import type { Kvm } from '../pages/kvm';
import { protectedByShadow } from '../pages/write-protect';

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
