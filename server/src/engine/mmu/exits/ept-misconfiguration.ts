/** EPT misconfigurations: MMIO under EPT (§6.2; vmx.c: handle_ept_misconfig). */
import { VmxExit } from '../../x86/exit-reasons';
import { PageFault } from '../../x86/fault-codes';
import type { Handled } from '../vcpu/instruction';
import type { KvmVcpu } from '../vcpu/kvm-vcpu';
import { handlePageFault } from './page-fault';
import { NO_INFO } from '../trace';

/** Nothing is known of the access; KVM's own MMIO marks are malformed. */
export function eptMisconfig(vcpu: KvmVcpu, gpaLo: number, gpaHi: number): Handled {
  vcpu.exited(VmxExit.EPT_MISCONFIG, NO_INFO);
  return handlePageFault(vcpu, gpaLo, gpaHi, PageFault.reserved, 0);
}
