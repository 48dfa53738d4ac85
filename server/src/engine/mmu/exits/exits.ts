/** VM exits by page faults and second-stage faults, as the vendor's part of KVM handles them (§6.2; vmx.c, svm.c). */
import { Actor } from '../../journal/events';
import { Outcome } from '../../vcpu/processor';
import { SvmExit, VmxExit } from '../../x86/exit-reasons';
import { PageFault, Qualification } from '../../x86/fault-codes';
import type { Handled } from '../emulation/emulator';
import type { Completion } from '../vcpu/instruction';
import { NO_INFO, type KvmVcpu } from '../vcpu/kvm-vcpu';
import { handlePageFault } from './page-fault';
import { INTR_INFO_PF } from '../trace';

/** Bits 32 and 33 of a nested fault's error code. */
const GUEST_FINAL_HIGH = 1;
const GUEST_PAGE_HIGH = 2;

/** The processor could not make the guest's access: exit, and handle it. */
export function handleOutcome(vcpu: KvmVcpu, outcome: Outcome, lo: number, hi: number): Handled {
  const { processor } = vcpu;
  switch (outcome) {
    case Outcome.pageFault:
      return pageFaultExit(vcpu, processor.errorCode, lo, hi);
    case Outcome.eptViolation:
      return eptViolation(vcpu, processor.exitGpaLo, processor.exitGpaHi, processor.qualification);
    case Outcome.eptMisconfig:
      return eptMisconfig(vcpu, processor.exitGpaLo, processor.exitGpaHi);
    case Outcome.nestedPageFault:
      return nestedPageFault(vcpu, processor.exitGpaLo, processor.exitGpaHi, processor.exitInfo1Lo, processor.exitInfo1Hi);
    case Outcome.carriedOut:
      return { kind: 'done', completion: processor.completion! };
    default:
      vcpu.exited(VmxExit.PML_FULL, NO_INFO);
      vcpu.kvm.trace.pmlFull(vcpu.parts.index);
      return { kind: 'resume' };
  }
}

/** Soft MMU: every #PF comes here (handle_exception_nmi, pf_interception). */
function pageFaultExit(vcpu: KvmVcpu, code: number, lo: number, hi: number): Handled {
  pageFaultOf(vcpu, code, lo, hi);
  return handlePageFault(vcpu, lo, hi, code, 0);
}

/** The exit by which a #PF comes, and that KVM has it. */
export function pageFaultOf(vcpu: KvmVcpu, code: number, lo: number, hi: number): void {
  const { parts, kvm } = vcpu;
  if (parts.vendor === 'intel')
    vcpu.exited(VmxExit.EXCEPTION_NMI, { ...NO_INFO, info1Lo: lo, info1Hi: hi, intrInfo: INTR_INFO_PF, errorCode: code });
  else vcpu.exited(SvmExit.PF_EXCP, { ...NO_INFO, info1Lo: code, info2Lo: lo, info2Hi: hi });
  kvm.trace.pageFault(parts.index, lo, hi, code, 0);
}

function eptViolation(vcpu: KvmVcpu, gpaLo: number, gpaHi: number, qualification: number): Handled {
  vcpu.exited(VmxExit.EPT_VIOLATION, { ...NO_INFO, info1Lo: qualification });
  vcpu.kvm.trace.pageFault(vcpu.parts.index, gpaLo, gpaHi, qualification, 0);
  const has = (bit: Qualification): boolean => (qualification & bit) !== 0;
  const code =
    (has(Qualification.read) ? PageFault.user : 0) |
    (has(Qualification.write) ? PageFault.write : 0) |
    (has(Qualification.fetch) ? PageFault.fetch : 0) |
    ((qualification & (Qualification.readable | Qualification.writable | Qualification.executable)) !== 0 ? PageFault.present : 0);
  const codeHi = !has(Qualification.linearValid) ? 0 : has(Qualification.final) ? GUEST_FINAL_HIGH : GUEST_PAGE_HIGH;
  return handlePageFault(vcpu, gpaLo, gpaHi, code, codeHi);
}

/** Nothing is known of the access; KVM's own MMIO marks are malformed (handle_ept_misconfig). */
function eptMisconfig(vcpu: KvmVcpu, gpaLo: number, gpaHi: number): Handled {
  vcpu.exited(VmxExit.EPT_MISCONFIG, NO_INFO);
  return handlePageFault(vcpu, gpaLo, gpaHi, PageFault.reserved, 0);
}

function nestedPageFault(vcpu: KvmVcpu, gpaLo: number, gpaHi: number, infoLo: number, infoHi: number): Handled {
  vcpu.exited(SvmExit.NPF, { ...NO_INFO, info1Lo: infoLo, info1Hi: infoHi, info2Lo: gpaLo, info2Hi: gpaHi });
  vcpu.kvm.trace.pageFault(vcpu.parts.index, gpaLo, gpaHi, infoLo, infoHi);
  return handlePageFault(vcpu, gpaLo, gpaHi, infoLo, infoHi);
}

/**
 * A second-stage fault outside an access: PDPTEs that MOV CR reads. The processor says where.
 *
 * @returns why the guest cannot go on; null: try again
 */
export function handleSecondStage(vcpu: KvmVcpu): Completion | null {
  vcpu.kvm.trace.journal.actor = Actor.processor;
  const handled = handleOutcome(vcpu, vcpu.processor.failedBelow(), 0, 0);
  if (handled.kind === 'done') return handled.completion;
  return vcpu.enter();
}
