/**
 * Invalidations under a hypervisor in a guest. What its guest executes natively works on the processor at once; what the
 * hypervisor executes itself, INVEPT, INVVPID or INVLPGA, exits to the one below (§3.10, §7.5, §7.7).
 */
import { SvmExit, VmxExit } from '../../x86/exit-reasons';
import type { Cpu } from '../vcpu/cpu';
import { invept, invlpga, invvpid } from './instructions';
import type { NestedCpu } from './nested-cpu';

export class NestedInvalidations implements Pick<Cpu['invalidations'], keyof Cpu['invalidations']> {
  constructor(private readonly cpu: NestedCpu) {}

  /** A register load of the guest. */
  apply(effects: number): void {
    if (this.native) this.real.apply(effects);
  }

  invlpg(lo: number, hi: number): void {
    const { cpu } = this;
    const { below, guest } = cpu;
    if (cpu.running) {
      if (this.native) this.real.invlpg(lo, hi);
    } else if (below.parts.vendor === 'amd') cpu.execute(SvmExit.INVLPGA, () => invlpga(below, lo, hi));
    else if (guest.parts.vpid !== 0) cpu.execute(VmxExit.INVVPID, () => invvpid(cpu.nesting, 0, lo, hi));
  }

  invpcid(type: number, pcid: number, lo: number, hi: number): boolean {
    return !this.native || this.real.invpcid(type, pcid, lo, hi);
  }

  /** The hypervisor flushes its guest's translations. On AMD it asks for that with the next VMRUN. */
  everything(): void {
    const { cpu } = this;
    const { below, guest } = cpu;
    if (below.parts.vendor === 'amd') return;
    if (guest.kvm.tdp) cpu.execute(VmxExit.INVEPT, () => invept(cpu.nesting, 2, 0, 0));
    else if (guest.parts.vpid !== 0) cpu.execute(VmxExit.INVVPID, () => invvpid(cpu.nesting, 1, 0, 0));
  }

  /** VM entry and exit without VPID: the hypervisor below sees to it. */
  transition(): void {
    // Nothing is cached under a tag of the hypervisor's own.
  }

  /** The guest runs, on a processor that caches translations. */
  private get native(): boolean {
    return this.cpu.running && this.cpu.below.tlbOn;
  }

  private get real(): Cpu['invalidations'] {
    return this.cpu.below.processor.invalidations;
  }
}
