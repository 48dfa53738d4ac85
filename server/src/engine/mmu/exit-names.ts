/** Names of exits as KVM's kvm_exit events print them (uapi/asm/vmx.h: VMX_EXIT_REASONS; uapi/asm/svm.h: SVM_EXIT_REASONS). */
import { SvmExit, VmxExit } from '../x86/exit-reasons';

const SVM_NAMES: { readonly [code: number]: string } = {
  [SvmExit.READ_CR0]: 'read_cr0',
  [SvmExit.READ_CR3]: 'read_cr3',
  [SvmExit.READ_CR4]: 'read_cr4',
  [SvmExit.WRITE_CR0]: 'write_cr0',
  [SvmExit.WRITE_CR3]: 'write_cr3',
  [SvmExit.WRITE_CR4]: 'write_cr4',
  [SvmExit.PF_EXCP]: 'PF excp',
  [SvmExit.INTR]: 'interrupt',
  [SvmExit.CR0_SEL_WRITE]: 'cr0_sel_write',
  [SvmExit.CPUID]: 'cpuid',
  [SvmExit.HLT]: 'hlt',
  [SvmExit.INVLPG]: 'invlpg',
  [SvmExit.INVLPGA]: 'invlpga',
  [SvmExit.IOIO]: 'io',
  [SvmExit.MSR]: 'msr',
  [SvmExit.SHUTDOWN]: 'shutdown',
  [SvmExit.VMRUN]: 'vmrun',
  [SvmExit.VMMCALL]: 'hypercall',
  [SvmExit.VMLOAD]: 'vmload',
  [SvmExit.VMSAVE]: 'vmsave',
  [SvmExit.STGI]: 'stgi',
  [SvmExit.CLGI]: 'clgi',
  [SvmExit.INVPCID]: 'invpcid',
  [SvmExit.NPF]: 'npf',
  [SvmExit.INVALID]: 'invalid',
};

/** KVM's name of an exit; an unknown number prints as hex. */
export function exitReasonName(vendor: 'intel' | 'amd', reason: number): string {
  const name = vendor === 'intel' ? VmxExit[reason] : SVM_NAMES[reason];
  return name ?? `0x${reason.toString(16)}`;
}
