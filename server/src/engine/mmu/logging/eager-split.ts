/**
 * Dividing huge leaves before anybody writes to them (§5.12; mmu.c: kvm_mmu_slot_try_split_huge_pages): those of the TDP MMU, and
 * beside it those of shadow pages, which map a nested guest's memory.
 */
import type { Kvm } from '../pages/kvm';
import { getShadowPage, linkShadowPage } from '../pages/get-page';
import { addToReverseMap } from '../pages/leaf';
import { childRole } from '../pages/role';
import { indexOf, type ShadowPage } from '../pages/shadow-page';

const HUGE_LEVELS = [3, 2];

/** All huge leaves of frames [start, end) become 4K ones; nothing without a TDP MMU. */
export function splitHugePages(kvm: Kvm, start: number, end: number): void {
  const { tdpMmu, rmap } = kvm;
  if (tdpMmu === null) return;
  for (const level of HUGE_LEVELS) {
    for (const gfn of [...rmap.blocks(start, end, level)]) {
      for (const at of [...rmap.of(gfn, level)]) {
        const page = kvm.pages.holding(at);
        if (page !== null && !page.invalid) splitShadow(kvm, page, at);
      }
    }
  }
  tdpMmu.splitHuge(start, end);
}

/** A direct page of small leaves in place of a huge one (shadow_mmu_split_huge_page). */
function splitShadow(kvm: Kvm, page: ShadowPage, at: number): void {
  const { format, tables, trace } = kvm;
  const index = indexOf(at);
  const lo = tables.low(at);
  const hi = tables.high(at);
  const gfn = page.gfnAt(index);
  const access = page.accessAt(index);
  const child = getShadowPage(kvm, gfn, childRole(page.role, index, true, access), alwaysInStep);
  if (child === null) return;
  let flush = false;
  const event = trace.journal.current;
  for (let i = 0; i < 512; i++) {
    const small = child.entryAddress(i);
    if (format.present(tables.low(small))) {
      flush ||= !format.last(tables.low(small), child.level);
      continue;
    }
    trace.journal.goesOn(event);
    kvm.setSpte(small, format.splitPiece(lo, hi, child.level, i));
    addToReverseMap(kvm, child, small, child.gfnAt(i), child.access);
  }
  linkShadowPage(kvm, at, child, flush);
  trace.emit('kvm_mmu_split_huge_page', { gfn, spte: { lo, hi }, level: page.level });
}

/** Direct pages mirror no guest table, and so are always in step. */
const alwaysInStep = (): number => 0;
