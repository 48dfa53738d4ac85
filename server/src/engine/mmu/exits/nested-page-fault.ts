/** Nested page faults, MMIO among them (§6.2; svm.c: npf_interception). */
import { SvmExit } from '../../x86/exit-reasons';
import type { Handled } from '../vcpu/instruction';
import type { KvmVcpu } from '../vcpu/kvm-vcpu';
import { handlePageFault } from './page-fault';
import { NO_INFO } from '../trace';

export function nestedPageFault(vcpu: KvmVcpu, gpaLo: number, gpaHi: number, infoLo: number, infoHi: number): Handled {
  vcpu.exited(SvmExit.NPF, { ...NO_INFO, info1Lo: infoLo, info1Hi: infoHi, info2Lo: gpaLo, info2Hi: gpaHi });
  vcpu.kvm.trace.emit('kvm_page_fault', {
    vcpu: vcpu.parts.index,
    address: { lo: gpaLo, hi: gpaHi },
    error_code: { lo: infoLo, hi: infoHi },
  });
  return handlePageFault(vcpu, gpaLo, gpaHi, infoLo, infoHi);
}
