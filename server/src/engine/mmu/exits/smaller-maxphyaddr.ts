/**
 * A guest whose MAXPHYADDR is smaller than the processor's, under EPT with kvm_intel.allow_smaller_maxphyaddr: the processor does not know
 * the smaller one, so that KVM looks for addresses beyond it itself. Not for guests of the guest.
 */
import { PageFault } from '../../x86/fault-codes';
import { Walk } from '../../x86/stage';
import type { KvmVcpu } from '../vcpu/kvm-vcpu';
import { exitedByPageFault } from './page-fault-exit';

const KIND = PageFault.write | PageFault.fetch | PageFault.user;

/** vmx.h: vmx_need_pf_intercept */
function looks({ kvm, parts, nested }: KvmVcpu): boolean {
  if (!kvm.options.allowSmallerMaxPhyAddr || !kvm.tdp || nested || parts.vendor !== 'intel') return false;
  return parts.rules.maxPhyAddr < parts.native.rules.maxPhyAddr;
}

/** Is an EPT violation really the guest's own fault (vmx.c: handle_ept_violation; kvm_vcpu_is_illegal_gpa)? */
export function isBeyondGuest(vcpu: KvmVcpu, gpaHi: number): boolean {
  return looks(vcpu) && gpaHi >>> (vcpu.parts.rules.maxPhyAddr - 32) !== 0;
}

/** Does #PF exit (vmx.c: vmx_update_exception_bitmap)? Only one that is of no reserved bit can be another for the guest. */
export function interceptsPageFault(vcpu: KvmVcpu, code: number): boolean {
  return (code & (PageFault.present | PageFault.reserved)) === (PageFault.present as number) && looks(vcpu);
}

/** The exit, and the fault as KVM's own walk of the guest's tables has it (x86.c: kvm_fixup_and_inject_pf_error). */
export function fixUpPageFault(vcpu: KvmVcpu, code: number, lo: number, hi: number): void {
  exitedByPageFault(vcpu, code, lo, hi);
  const { walkMmu } = vcpu;
  const agrees = walkMmu.walk(lo, hi, code & KIND, vcpu.alignmentCheck) === Walk.ok;
  vcpu.inject({ errorCode: agrees ? code : walkMmu.walker.errorCode, lo, hi });
}
