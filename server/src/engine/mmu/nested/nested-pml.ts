/** The log of page-modification logging that an L1 has for L2, as L0 writes it (vmx/nested.c: nested_vmx_write_pml_buffer). */
import { join } from '../../bits';
import { PML_ENTRIES } from '../../vcpu/pml-log';
import { Register, type Registers } from '../../vcpu/registers';
import type { ModificationLog } from '../../x86/walk-caches';
import type { Kvm } from '../pages/kvm';

export class NestedPml implements ModificationLog {
  /**
   * @param kvm L0's, whose guest has the log in its memory
   * @param registers of L2, with the log's address and index
   */
  constructor(
    private readonly kvm: Kvm,
    private readonly registers: Registers,
  ) {}

  /** @returns false when the index is outside 0..511: L1 gets PML_FULL */
  log(lo: number, hi: number): boolean {
    const { kvm, registers } = this;
    const index = registers.lo(Register.pmlIndex);
    if (index >>> 0 >= PML_ENTRIES) return false;
    const to = join(registers.lo(Register.pmlAddress), registers.hi(Register.pmlAddress)) + index * 8;
    const host = kvm.guest.address(to, true);
    // kvm_write_guest_page fails: nothing is logged, and nobody hears of it.
    if (host < 0) return true;
    kvm.trace.emit('nested_vmx_write_pml_buffer', { gpa: { lo: lo & ~0xfff, hi }, to });
    kvm.tables.write(host, lo & ~0xfff, hi);
    registers.set(Register.pmlIndex, (index - 1) & 0xffff, 0);
    const gfn = Math.floor(to / 4096);
    kvm.markPageDirty(kvm.slotOf(gfn), gfn);
    return true;
  }
}
