/** Entries that say that nothing is there, and faults on them (§5.3 P1, §5.5; mmu.c: mark_mmio_spte, handle_mmio_page_fault). */
import type { MmuContext } from '../contexts/mmu-context';
import { ShadowWalk } from '../contexts/shadow-walk';
import type { Kvm } from '../pages/kvm';
import { RetPf } from '../../journal/enumerations';
import type { FaultingVcpu } from './faulting-vcpu';

/** An entry that says: nothing there, emulate (mark_mmio_spte). */
export function markMmio(kvm: Kvm, at: number, gfn: number, access: number): void {
  const { format, trace } = kvm;
  const spte = format.mmio(gfn, access, kvm.mmioGeneration);
  const { lo, hi } = spte;
  trace.emit('mark_mmio_spte', { access: lo & 7, gfn, spte, gen: format.mmioGeneration(lo, hi), sptep: at });
  kvm.setSpte(at, spte);
}

/** A fault with a reserved bit: is it an MMIO spte, and one of now? (handle_mmio_page_fault) */
export function mmioPageFault(vcpu: FaultingVcpu, mmu: MmuContext, lo: number, hi: number): RetPf {
  if (mmioKnown(vcpu, mmu, lo, hi)) return RetPf.emulate;
  const { kvm } = vcpu;
  const { format, tables, trace } = kvm;
  let at = -1;
  for (const walk = new ShadowWalk(kvm, lo, hi, mmu.roots.current); walk.ok; walk.next()) at = walk.at;
  if (at < 0) return RetPf.retry;
  const spteLo = tables.low(at);
  const spteHi = tables.high(at);
  if (!format.isMmio(spteLo, spteHi)) return RetPf.retry;
  const generation = format.mmioGeneration(spteLo, spteHi);
  const valid = generation === kvm.mmioGeneration;
  trace.emit('check_mmio_spte', { valid, spte: { lo: spteLo, hi: spteHi }, kvm_gen: kvm.mmioGeneration, spte_gen: generation });
  if (!valid) return RetPf.invalid;
  const gfn = format.mmioGfn(spteLo, spteHi);
  const access = format.mmioAccessOf(spteLo);
  const linear = !mmu.direct && !vcpu.nested;
  trace.emit('handle_mmio_page_fault', { access, addr: mmu.direct ? 0 : { lo, hi }, gfn });
  vcpu.mmio.remember(linear ? lo : 0, linear ? hi : 0, gfn, access);
  return RetPf.emulate;
}

/** The vCPU's one remembered access is this one (mmio_info_in_cache). */
export function mmioKnown(vcpu: FaultingVcpu, mmu: MmuContext, lo: number, hi: number): boolean {
  if (vcpu.nested) return false;
  if (mmu.direct) return vcpu.mmio.matchesGpa((hi >>> 0) * 0x1_0000_0000 + (lo >>> 0));
  return vcpu.mmio.matchesGva(lo, hi);
}
