/** EPT violations: from the exit qualification to the error code of a page fault (§6.2; vmx.c: handle_ept_violation). */
import { VmxExit } from '../../x86/exit-reasons';
import { PageFault, Qualification } from '../../x86/fault-codes';
import { emulate } from '../emulation/emulator';
import type { Handled } from '../vcpu/instruction';
import type { KvmVcpu } from '../vcpu/kvm-vcpu';
import { handlePageFault } from './page-fault';
import { isBeyondGuest } from './smaller-maxphyaddr';
import { NO_INFO } from '../trace';

/** Bits 32 and 33 of a nested fault's error code. */
const GUEST_FINAL_HIGH = 1;
const GUEST_PAGE_HIGH = 2;

export function eptViolation(vcpu: KvmVcpu, gpaLo: number, gpaHi: number, qualification: number): Handled {
  vcpu.exited(VmxExit.EPT_VIOLATION, { ...NO_INFO, info1Lo: qualification });
  vcpu.exitQualification = qualification;
  vcpu.kvm.trace.emit('kvm_page_fault', { vcpu: vcpu.parts.index, address: { lo: gpaLo, hi: gpaHi }, error_code: qualification });
  // It may be the address of a table, and is then a write: the guest's own walk says what it is.
  if (isBeyondGuest(vcpu, gpaHi)) return emulate(vcpu, 0, 0, false, false);
  const has = (bit: Qualification): boolean => (qualification & bit) !== 0;
  const code =
    (has(Qualification.read) ? PageFault.user : 0) |
    (has(Qualification.write) ? PageFault.write : 0) |
    (has(Qualification.fetch) ? PageFault.fetch : 0) |
    ((qualification & (Qualification.readable | Qualification.writable | Qualification.executable)) !== 0 ? PageFault.present : 0);
  const codeHi = !has(Qualification.linearValid) ? 0 : has(Qualification.final) ? GUEST_FINAL_HIGH : GUEST_PAGE_HIGH;
  return handlePageFault(vcpu, gpaLo, gpaHi, code, codeHi);
}
