/**
 * Flushes of a vCPU's translations by its hypervisor (kvm_x86_ops.flush_tlb_*): what each is on the processor (vmx.c: vmx_flush_tlb_*;
 * svm.c: svm_flush_tlb_*).
 */
import { LocalFlush } from '../../journal/enumerations';
import type { KvmVcpu } from './kvm-vcpu';

/** @param lo with {@link LocalFlush.gva}: the address */
export function flushTlb(vcpu: KvmVcpu, scope: LocalFlush, lo = 0, hi = 0): void {
  const { kvm, parts } = vcpu;
  kvm.trace.emit('kvm_x86_flush_tlb', { scope, vcpu: parts.index, gva: { lo, hi } });
  if (!vcpu.tlbOn) return;
  if (parts.vendor === 'amd') flushAsid(vcpu, scope, lo, hi);
  else if (kvm.tdp && (scope === LocalFlush.all || scope === LocalFlush.current)) flushEpt(vcpu, scope);
  else flushVpid(vcpu, scope, lo, hi);
}

/** All of an ASID: it tags nested translations too, and L1 and L2 share one. */
function flushAsid({ processor, parts }: KvmVcpu, scope: LocalFlush, lo: number, hi: number): void {
  if (scope === LocalFlush.gva) processor.invalidations.invlpga(lo, hi, parts.vpid);
  else processor.invalidations.tlbControl(3, parts.vpid);
}

/** INVEPT: guest-physical mappings, and combined ones. */
function flushEpt({ processor, mmu }: KvmVcpu, scope: LocalFlush.all | LocalFlush.current): void {
  const { hpa } = mmu.roots.current;
  if (scope === LocalFlush.all) processor.invalidations.invept(2, 0);
  else if (hpa >= 0) processor.invalidations.invept(1, hpa / 4096);
}

/** INVVPID. Without a VPID entries and exits flush. */
function flushVpid({ processor, parts, guests, mmu }: KvmVcpu, scope: LocalFlush, lo: number, hi: number): void {
  const vpid = guests.vpidOf(parts.vpid);
  if (vpid === 0) return;
  if (scope === LocalFlush.all) processor.invalidations.invvpid(2, vpid, 0, 0);
  else if (scope === LocalFlush.gva) processor.invalidations.invvpid(0, vpid, lo, hi);
  else if (scope === LocalFlush.guest || mmu.roots.current.hpa >= 0) processor.invalidations.invvpid(1, vpid, 0, 0);
}
