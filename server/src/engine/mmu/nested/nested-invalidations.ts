/**
 * Invalidations under a hypervisor in a guest. What its guest executes natively works on the processor at once; what the
 * hypervisor executes itself, INVEPT, INVVPID or INVLPGA, exits to the one below (§3.10, §7.5, §7.7).
 */
import { high, low, PAGE_SIZE } from '../../bits';
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
    if (this.native) this.real.invlpg(lo, hi);
  }

  invpcid(type: number, pcid: number, lo: number, hi: number): boolean {
    return !this.native || this.real.invpcid(type, pcid, lo, hi);
  }

  // Of the hypervisor.

  invept(type: 1 | 2, root: number): void {
    const { cpu } = this;
    cpu.execute(VmxExit.INVEPT, () => invept(cpu.nesting, type, low(root * PAGE_SIZE), high(root * PAGE_SIZE)));
  }

  invvpid(type: 0 | 1 | 2 | 3, _vpid: number, lo: number, hi: number): boolean {
    const { cpu } = this;
    cpu.execute(VmxExit.INVVPID, () => invvpid(cpu.nesting, type, lo, hi));
    return true;
  }

  invlpga(lo: number, hi: number): void {
    const { cpu } = this;
    cpu.execute(SvmExit.INVLPGA, () => invlpga(cpu.below, lo, hi));
  }

  tlbControl(): void {
    // A field of the VMCB: the one below flushes at every VMRUN anyway (nested_svm_transition_tlb_flush).
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
