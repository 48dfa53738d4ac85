/** The exit by a #PF of a guest under soft MMU (§6.2; vmx.c: handle_exception_nmi, svm.c: pf_interception). */
import { SvmExit, VmxExit } from '../../x86/exit-reasons';
import { NO_INFO, INTR_INFO_PF } from '../trace';
import type { Handled } from '../vcpu/instruction';
import type { KvmVcpu } from '../vcpu/kvm-vcpu';
import { handlePageFault } from './page-fault';

export function pageFaultExit(vcpu: KvmVcpu, code: number, lo: number, hi: number): Handled {
  pageFaultOf(vcpu, code, lo, hi);
  return handlePageFault(vcpu, lo, hi, code, 0);
}

/** The exit by which a #PF comes. */
export function exitedByPageFault(vcpu: KvmVcpu, code: number, lo: number, hi: number): void {
  if (vcpu.parts.vendor === 'intel')
    vcpu.exited(VmxExit.EXCEPTION_NMI, { ...NO_INFO, info1Lo: lo, info1Hi: hi, intrInfo: INTR_INFO_PF, errorCode: code });
  else vcpu.exited(SvmExit.PF_EXCP, { ...NO_INFO, info1Lo: code, info2Lo: lo, info2Hi: hi });
}

/** The same, and that KVM has it. */
export function pageFaultOf(vcpu: KvmVcpu, code: number, lo: number, hi: number): void {
  const { parts, kvm } = vcpu;
  exitedByPageFault(vcpu, code, lo, hi);
  kvm.trace.emit('kvm_page_fault', { vcpu: parts.index, address: { lo, hi }, error_code: code });
}
