/** Leaves of frames that go, of whatever MMU (mmu.c: kvm_unmap_gfn_range, kvm_mmu_zap_memslot_pages_and_flush). */
import type { Slot } from '../../memory/slots';
import type { Kvm } from './kvm';
import { zapFrame } from './leaf';
import type { ShadowPage } from './shadow-page';
import { flushOrZap, prepareZap } from './zap';

/** Drop all leaves that map [start, end). @returns translations must be flushed */
export function unmapFrames(kvm: Kvm, start: number, end: number): boolean {
  let flush = false;
  for (let level = 1; level <= 3; level++) {
    for (const block of kvm.rmap.blocks(start, end, level)) flush = zapFrame(kvm, block, level) || flush;
  }
  return kvm.tdpMmu?.zapRange(start, end) || flush;
}

/** Drop what maps a slot's frames, and the shadow pages of guest tables in it. */
export function zapSlot(kvm: Kvm, slot: Slot): void {
  const flush = unmapFrames(kvm, slot.gfn, slot.gfn + slot.pages);
  const tables = [...kvm.pages.active].map(({ gfn }) => gfn).filter((gfn) => slot.contains(gfn));
  const invalid: ShadowPage[] = [];
  for (const gfn of [...new Set(tables)].sort((a, b) => a - b)) {
    for (const page of kvm.pages.mirrors(gfn)) if (!page.invalid) prepareZap(kvm, page, invalid);
  }
  flushOrZap(kvm, invalid, flush);
}
