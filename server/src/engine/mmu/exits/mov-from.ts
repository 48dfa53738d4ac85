/**
 * MOV from a control register (vmx.c: handle_cr, svm.c: cr_interception): by the processor where nothing is intercepted, else
 * by the hypervisor.
 */
import type { ControlRegister } from '../../program';
import { Cr0 } from '../../vcpu/control-registers';
import { Register } from '../../vcpu/registers';
import { SvmExit, VmxExit } from '../../x86/exit-reasons';
import { emulatesIntercepted, movFromCr } from '../emulation/intercepted';
import { LENGTHS, doneWith, type Completion } from '../vcpu/instruction';
import type { KvmVcpu } from '../vcpu/kvm-vcpu';
import { NO_INFO } from '../trace';

const NUMBERS = { cr0: Register.cr0, cr2: Register.cr2, cr3: Register.cr3, cr4: Register.cr4 } as const;
/** Access type of the exit qualification, bits 5:4: 1 is MOV from (SDM vol. 3C, "Exit Qualification for Control-Register Accesses"). */
const MOV_FROM = 1 << 4;

export function movFrom(vcpu: KvmVcpu, name: ControlRegister): Completion {
  const failed = vcpu.enter();
  if (failed !== null) return failed;
  const { registers } = vcpu;
  const number = NUMBERS[name];
  const done = doneWith(registers.value(number));
  const reason = interception(vcpu, name);
  if (reason === null) return done;
  const cr = Number(name[2]);
  vcpu.exited(reason, { ...NO_INFO, info1Lo: vcpu.parts.vendor === 'intel' ? MOV_FROM | cr : 0 });
  if (vcpu.mode.script !== null) return vcpu.mode.script.exit();
  if (!emulatesIntercepted(vcpu, movFromCr(cr)))
    vcpu.kvm.trace.emit('kvm_cr', { cr, value: { lo: registers.lo(number), hi: registers.hi(number) }, write: false });
  vcpu.rip += LENGTHS.movCr;
  return vcpu.enter() ?? done;
}

/** The exit that the read causes; null: none. */
function interception({ parts, kvm, registers, mode }: KvmVcpu, name: ControlRegister): number | null {
  // CR0 and CR4 are read from their read shadows, CR3 is the guest's own under EPT (vmx_set_cr0, vmx_set_cr4).
  const exits = mode.script?.intercepts('mov from cr3') ?? !kvm.tdp;
  if (parts.vendor === 'intel') return name === 'cr3' && exits ? VmxExit.CR_ACCESS : null;
  switch (name) {
    case 'cr0': {
      // svm_set_cr0: as long as hardware has another CR0 than the guest believes.
      const cr0 = registers.lo(Register.cr0);
      return kvm.tdp || (cr0 & Cr0.wp && cr0 & Cr0.pg) ? null : SvmExit.READ_CR0;
    }
    case 'cr2':
      return null;
    case 'cr3':
      return exits ? SvmExit.READ_CR3 : null;
    case 'cr4':
      return SvmExit.READ_CR4;
  }
}
