/** Installing a leaf in a shadow page (§5.5; mmu.c: mmu_set_spte), for soft MMU and older direct MMU. */
import type { Slot } from '../../memory/slots';
import type { Kvm } from '../pages/kvm';
import { addToReverseMap, dropSpte, replaced, updateSpte } from '../pages/leaf';
import { makeLeaf } from '../pages/make-leaf';
import { framesAt, indexOf } from '../pages/shadow-page';
import { RetPf } from '../../journal/enumerations';
import { unlink } from '../pages/zap';
import { markMmio } from './mmio-sptes';

interface Installation {
  /** Null: MMIO. */
  readonly slot: Slot | null;
  readonly access: number;
  readonly gfn: number;
  readonly pfn: number;
  readonly hostWritable: boolean;
  /** Nobody faulted on it. */
  readonly prefetch: boolean;
  readonly write: boolean;
}

export function installLeaf(kvm: Kvm, at: number, leaf: Installation): RetPf {
  const { format, tables, trace } = kvm;
  const page = kvm.pages.holding(at);
  if (page === null) return RetPf.retry;
  const { slot, access, gfn, pfn } = leaf;
  if (slot === null) {
    markMmio(kvm, at, gfn, access);
    return RetPf.emulate;
  }
  const { level } = page;
  const lo = tables.low(at);
  const hi = tables.high(at);
  let flush = false;
  let known = false;
  if (format.present(lo)) {
    if (!format.last(lo, level)) {
      replaced(kvm, page, at);
      unlink(kvm, kvm.childOf(lo, hi), at);
      flush = true;
    } else if (format.pfn(lo, hi) !== pfn) {
      replaced(kvm, page, at);
      dropSpte(kvm, page, at);
      flush = true;
    } else known = true;
  }
  const { prefetch, hostWritable } = leaf;
  const oldLo = tables.low(at);
  const { spte, refused } = makeLeaf(kvm, { page, slot, access, gfn, pfn, oldLo, prefetch, canUnsync: true, hostWritable });
  let result = RetPf.fixed;
  if (tables.low(at) === spte.lo && tables.high(at) === spte.hi) result = RetPf.spurious;
  else {
    trace.emit('kvm_mmu_set_spte', { gfn, spte, at, level });
    flush = updateSpte(kvm, at, spte) || flush;
  }
  if (refused && leaf.write) result = RetPf.writeProtected;
  if (flush) kvm.flushRemoteTlbs(gfn, framesAt(level));
  if (known) page.setTranslation(indexOf(at), gfn, access);
  else addToReverseMap(kvm, page, at, gfn, access);
  return result;
}
