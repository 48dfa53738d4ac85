/**
 * Giving a direct leaf its W back without the slow path (§6.2 T3; mmu.c: fast_page_fault): it was taken for the dirty log,
 * or all rights for access tracking.
 */
import type { Fault } from '../faults/fault';
import type { Kvm } from '../pages/kvm';
import type { MmuContext } from '../contexts/mmu-context';
import { ShadowWalk } from '../contexts/shadow-walk';
import type { Spte } from '../pages/spte';
import { RetPf } from '../../journal/enumerations';

/** @returns invalid: the slow path must do it */
export function fastPageFault(kvm: Kvm, mmu: MmuContext, fault: Fault): RetPf {
  const { format, tables, trace } = kvm;
  if (!kvm.options.fastPageFault || fault.reserved || (fault.present ? !fault.write : format.accessedDirty)) return RetPf.invalid;
  const { at, level } = lastEntry(kvm, mmu, fault);
  if (at < 0) return RetPf.invalid;
  const lo = tables.low(at);
  const hi = tables.high(at);
  const fix = fixOf(kvm, fault, level, lo, hi);
  const result = typeof fix === 'object' ? RetPf.fixed : fix;
  const now = typeof fix === 'object' ? fix : { lo, hi };
  trace.emit('fast_page_fault', {
    result,
    address: fault.gfn * 4096 + (fault.lo & 0xfff),
    error_code: { lo: fault.code, hi: fault.codeHi },
    old: { lo, hi },
    new: now,
    sptep: at,
  });
  if (result === RetPf.fixed) {
    kvm.setSpte(at, now);
    if (format.writable(now.lo) && !format.writable(lo)) kvm.markPageDirty(fault.slot, fault.gfn);
  }
  return result;
}

/** The entry that serves the fault; or spurious: the one that stands there does, invalid: none that can be had here. */
function fixOf(kvm: Kvm, fault: Fault, level: number, lo: number, hi: number): Spte | RetPf.spurious | RetPf.invalid {
  const { format } = kvm;
  if (!format.present(lo) || !format.last(lo, level)) return RetPf.invalid;
  if (allowed(kvm, fault, lo, hi)) return RetPf.spurious;
  let spte: Spte = { lo, hi };
  if (!format.accessedDirty && format.accessTracked(lo, hi)) spte = format.restoreAccess(lo, hi);
  const logs = fault.slot !== null && fault.slot.dirtyLog !== null;
  if (fault.write && format.mmuWritable(lo, hi)) {
    if (level > 1 && logs) return RetPf.invalid;
    spte = format.madeWritable(spte);
  }
  if ((spte.lo === lo && spte.hi === hi) || !allowed(kvm, fault, spte.lo, spte.hi)) return RetPf.invalid;
  return spte;
}

/** Would the access succeed through this entry? (is_access_allowed) */
function allowed(kvm: Kvm, fault: Fault, lo: number, hi: number): boolean {
  const { format } = kvm;
  if (fault.exec) return format.executable(lo, hi);
  if (fault.write) return format.writable(lo);
  return format.readable(lo);
}

/** The entry at which the way of the address ends. */
function lastEntry(kvm: Kvm, mmu: MmuContext, fault: Fault): { at: number; level: number } {
  const { current } = mmu.roots;
  if (current.page?.tdpMmu && kvm.tdpMmu !== null) {
    const { page, at } = kvm.tdpMmu.last(current.page, fault.gfn);
    return { at, level: page.level };
  }
  let at = -1;
  let level = 0;
  for (const walk = new ShadowWalk(kvm, fault.lo, fault.hi, current); walk.ok; walk.next()) ({ at, level } = walk);
  return { at, level };
}
