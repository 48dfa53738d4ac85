/** INVLPG and INVPCID of a guest (§5.8; mmu.c: kvm_mmu_invlpg, x86.c: kvm_handle_invpcid): natively under a hard MMU. */
import { high, highOf, low, lowOf } from '../../bits';
import { LocalFlush } from '../../journal/enumerations';
import { Actor } from '../../journal/events';
import { Cr4, pagingModeOf, pcidOf } from '../../vcpu/control-registers';
import { Register } from '../../vcpu/registers';
import { SvmExit, VmxExit } from '../../x86/exit-reasons';
import { INVLPG, emulatesIntercepted } from '../emulation/intercepted';
import { invalidateAddress } from '../soft/invlpg';
import { INJECTED_GP } from '../trace';
import { DONE, GP, LENGTHS, type Completion } from '../vcpu/instruction';
import type { KvmVcpu } from '../vcpu/kvm-vcpu';
import { NO_INFO } from '../trace';
import { flushTlb } from '../vcpu/flush-tlb';
import { invalidateGuestAddress } from '../vcpu/vcpu-mmu';

/** INVLPG. */
export function invlpg(vcpu: KvmVcpu, address: bigint): Completion {
  const failed = vcpu.enter();
  if (failed !== null) return failed;
  const lo = lowOf(address);
  const hi = highOf(address);
  const { kvm, parts, processor } = vcpu;
  if (!(vcpu.mode.script?.intercepts('invlpg') ?? !kvm.tdp)) {
    kvm.trace.journal.actor = Actor.processor;
    if (vcpu.tlbOn) processor.invalidations.invlpg(lo, hi);
    return DONE;
  }
  vcpu.exited(parts.vendor === 'intel' ? VmxExit.INVLPG : SvmExit.INVLPG, { ...NO_INFO, info1Lo: lo, info1Hi: hi });
  if (vcpu.mode.script !== null) return vcpu.mode.script.exit();
  emulatesIntercepted(vcpu, INVLPG);
  if (canonical(vcpu, hi)) invalidateGuestAddress(vcpu, vcpu.walkMmu, lo, hi, true);
  vcpu.rip += LENGTHS.invlpg;
  return vcpu.enter() ?? DONE;
}

/** INVPCID. */
export function invpcid(vcpu: KvmVcpu, type: 0 | 1 | 2 | 3, pcid: number, address: bigint): Completion {
  const failed = vcpu.enter();
  if (failed !== null) return failed;
  const lo = lowOf(address);
  const hi = highOf(address);
  const { kvm, parts, processor, registers } = vcpu;
  const pcide = (registers.lo(Register.cr4) & Cr4.pcide) !== 0;
  const refused = (type < 2 && !pcide && pcid !== 0) || (type === 0 && !canonical(vcpu, hi)) || pcid < 0 || pcid > 0xfff;
  if (kvm.tdp) {
    if (refused) return GP;
    kvm.trace.journal.actor = Actor.processor;
    if (vcpu.tlbOn) processor.invalidations.invpcid(type, pcid, lo, hi);
    return DONE;
  }
  vcpu.exited(parts.vendor === 'intel' ? VmxExit.INVPCID : SvmExit.INVPCID, { ...NO_INFO, info1Lo: low(type), info1Hi: high(type) });
  if (vcpu.mode.script !== null) return vcpu.mode.script.exit();
  if (refused) {
    kvm.trace.emit('kvm_inj_exception', INJECTED_GP);
    return vcpu.enter() ?? GP;
  }
  if (type >= 2) vcpu.request('flushGuest');
  else if (type === 1) invalidatePcid(vcpu, pcid);
  else invalidatePcidAddress(vcpu, pcid, lo, hi);
  vcpu.rip += LENGTHS.invpcid;
  return vcpu.enter() ?? DONE;
}

function invalidatePcid(vcpu: KvmVcpu, pcid: number): void {
  if (pcidOf(vcpu.registers) === pcid) {
    vcpu.request('sync');
    vcpu.request('flushCurrent');
  }
  if ((vcpu.registers.lo(Register.cr4) & Cr4.pcide) !== 0) vcpu.mmu.roots.freePrevious((root) => (root.pgdLo & 0xfff) === pcid);
}

/** kvm_mmu_invpcid_gva */
function invalidatePcidAddress(vcpu: KvmVcpu, pcid: number, lo: number, hi: number): void {
  const { mmu, kvm, registers } = vcpu;
  const pcide = (registers.lo(Register.cr4) & Cr4.pcide) !== 0;
  const roots = mmu.roots.previous.filter((root) => root.hpa >= 0 && (pcide ? root.pgdLo & 0xfff : 0) === pcid);
  if (pcidOf(registers) === pcid) roots.unshift(mmu.roots.current);
  if (roots.length === 0) return;
  if (!mmu.direct) {
    vcpu.mmio.forgetGva(lo, hi);
    for (const root of roots) invalidateAddress(kvm, mmu, root, lo, hi);
  }
  flushTlb(vcpu, LocalFlush.gva, lo, hi);
}

/** @param hi high half of a linear address */
export function canonical(vcpu: KvmVcpu, hi: number): boolean {
  const mode = pagingModeOf(vcpu.registers);
  if (mode !== '4-level' && mode !== '5-level') return true;
  const sign = mode === '5-level' ? hi >> 24 : hi >> 15;
  return sign === 0 || sign === -1;
}
