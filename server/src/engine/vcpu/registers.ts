/**
 * The registers of one vCPU: what the guest sees, and what stands in hardware while it runs (under soft MMU they differ).
 * Every change is a journal row, {@link Space.register}.
 */
import { toBigInt, lowOf, highOf } from '../bits';
import type { Journal } from '../journal/journal';
import { Space, SPACES } from '../journal/spaces';
import type { RegisterName } from '../program';

/** Register numbers in journal keys. Never renumbered: run records name them. */
export enum Register {
  cr0 = 0,
  cr2 = 1,
  cr3 = 2,
  cr4 = 3,
  efer = 4,
  rflags = 5,
  rip = 6,
  pkru = 7,
  pkrs = 8,
  pdpte0 = 9,
  pdpte1 = 10,
  pdpte2 = 11,
  pdpte3 = 12,
  // What hardware runs with.
  hwCr0 = 16,
  hwCr3 = 17,
  hwCr4 = 18,
  hwEfer = 19,
  hwPdpte0 = 20,
  hwPdpte1 = 21,
  hwPdpte2 = 22,
  hwPdpte3 = 23,
  /** EPTP as written to the VMCS, or nCR3; 0: no second stage. */
  secondRoot = 24,
  /** VPID or ASID. */
  vpid = 25,
  /** Host-physical address of the PML buffer; 0: PML is off. */
  pmlAddress = 26,
  /** Next free entry of the PML buffer, 511 down to 0, then 0xffff. */
  pmlIndex = 27,
}

/** Registers that a program names. */
export const REGISTER_OF: { readonly [register in RegisterName | 'cr2']: Register } = {
  cr0: Register.cr0,
  cr2: Register.cr2,
  cr3: Register.cr3,
  cr4: Register.cr4,
  efer: Register.efer,
  eflags: Register.rflags,
  pkru: Register.pkru,
  pkrs: Register.pkrs,
};
const REGISTERS = 32;

/** A vCPU's sets of registers. */
export enum Bank {
  own = 0,
  /** Guest state of vmcs02 or vmcb02: of the vCPU's guest, as hardware has it. */
  nested = 1,
}

export class Registers {
  private readonly words = new Int32Array(2 * REGISTERS);
  private readonly firstKey: number;

  /**
   * @param vcpu number of the vCPU in the machine, over all VMs
   */
  constructor(
    private readonly journal: Journal,
    readonly vcpu: number,
    bank = Bank.own,
  ) {
    this.firstKey = SPACES[Space.register].key.encode({ vcpu, bank, register: 0 });
  }

  lo(register: Register): number {
    return this.words[register * 2];
  }

  hi(register: Register): number {
    return this.words[register * 2 + 1];
  }

  value(register: Register): bigint {
    return toBigInt(this.lo(register), this.hi(register));
  }

  set(register: Register, lo: number, hi: number): void {
    const { words, journal } = this;
    const at = register * 2;
    const changeLo = words[at] ^ lo;
    const changeHi = words[at + 1] ^ hi;
    if ((changeLo | changeHi) === 0) return;
    words[at] = lo;
    words[at + 1] = hi;
    journal.change(Space.register, this.firstKey + register, changeLo, changeHi);
  }

  setValue(register: Register, value: bigint): void {
    this.set(register, lowOf(value), highOf(value));
  }

  /** Halves of the four PDPTE registers, low before high, from `first` on: a view for the walker, always current. */
  pdptes(first: Register.pdpte0 | Register.hwPdpte0): Int32Array {
    return this.words.subarray(first * 2, first * 2 + 8);
  }
}
