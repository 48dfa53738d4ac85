/** Instructions of a guest that always exit and that no MMU is asked for: CPUID, VMCALL, RDMSR, WRMSR. */
import { SvmExit, VmxExit } from '../../x86/exit-reasons';
import { DONE, LENGTHS, type Completion } from '../vcpu/instruction';
import type { KvmVcpu } from '../vcpu/kvm-vcpu';
import { NO_INFO } from '../trace';

/** An instruction that the hypervisor carries out without its MMU. */
export function exitingInstruction(vcpu: KvmVcpu, name: keyof typeof EXITING): Completion {
  const failed = vcpu.enter();
  if (failed !== null) return failed;
  const exit = EXITING[name];
  vcpu.exited(exit[vcpu.parts.vendor], { ...NO_INFO, info1Lo: vcpu.parts.vendor === 'amd' ? exit.info1 : 0 });
  if (vcpu.mode.script !== null) return vcpu.mode.script.exit();
  vcpu.rip += LENGTHS[name];
  return vcpu.enter() ?? DONE;
}

const EXITING = {
  cpuid: { intel: VmxExit.CPUID, amd: SvmExit.CPUID, info1: 0 },
  vmcall: { intel: VmxExit.VMCALL, amd: SvmExit.VMMCALL, info1: 0 },
  rdmsr: { intel: VmxExit.MSR_READ, amd: SvmExit.MSR, info1: 0 },
  wrmsr: { intel: VmxExit.MSR_WRITE, amd: SvmExit.MSR, info1: 1 },
} as const;
