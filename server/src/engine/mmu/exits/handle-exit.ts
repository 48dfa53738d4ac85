/** VM exits by page faults and second-stage faults, each to its handler (§6.2; vmx.c: vmx_handle_exit, svm.c: svm_handle_exit). */
import { Actor } from '../../journal/events';
import { Outcome } from '../../vcpu/processor';
import { VmxExit } from '../../x86/exit-reasons';
import type { Completion, Handled } from '../vcpu/instruction';
import type { KvmVcpu } from '../vcpu/kvm-vcpu';
import { eptMisconfig } from './ept-misconfiguration';
import { eptViolation } from './ept-violation';
import { nestedPageFault } from './nested-page-fault';
import { pageFaultExit } from './page-fault-exit';
import { NO_INFO } from '../trace';

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
      if (vcpu.mode.script !== null) return { kind: 'done', completion: vcpu.mode.script.exit() };
      vcpu.kvm.trace.emit('kvm_pml_full', { vcpu: vcpu.parts.index });
      return { kind: 'resume' };
  }
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
