/** Instructions of a guest that always exit and that no MMU is asked for: CPUID, VMCALL, RDMSR of EFER, WRMSR. */
import { MSR_EFER } from '../../vcpu/control-registers';
import { Register } from '../../vcpu/registers';
import { SvmExit, VmxExit } from '../../x86/exit-reasons';
import { DONE, LENGTHS, doneWith, type Completion } from '../vcpu/instruction';
import type { KvmVcpu } from '../vcpu/kvm-vcpu';
import { NO_INFO } from '../trace';

/** An instruction that the hypervisor carries out without its MMU. */
export function exitingInstruction(vcpu: KvmVcpu, name: keyof typeof EXITING): Completion {
  const failed = vcpu.enter();
  if (failed !== null) return failed;
  const exit = EXITING[name];
  vcpu.exited(exit[vcpu.parts.vendor], { ...NO_INFO, info1Lo: vcpu.parts.vendor === 'amd' ? exit.info1 : 0 });
  if (vcpu.mode.script !== null) return vcpu.mode.script.exit();
  const done = name === 'rdmsr' ? readEfer(vcpu) : DONE;
  vcpu.rip += LENGTHS[name];
  return vcpu.enter() ?? done;
}

/** kvm_emulate_rdmsr */
function readEfer({ kvm, registers }: KvmVcpu): Completion {
  const value = { lo: registers.lo(Register.efer), hi: registers.hi(Register.efer) };
  kvm.trace.emit('kvm_msr', { msr: MSR_EFER, value, write: false });
  return doneWith(registers.value(Register.efer));
}

const EXITING = {
  cpuid: { intel: VmxExit.CPUID, amd: SvmExit.CPUID, info1: 0 },
  vmcall: { intel: VmxExit.VMCALL, amd: SvmExit.VMMCALL, info1: 0 },
  rdmsr: { intel: VmxExit.MSR_READ, amd: SvmExit.MSR, info1: 0 },
  wrmsr: { intel: VmxExit.MSR_WRITE, amd: SvmExit.MSR, info1: 1 },
} as const;
