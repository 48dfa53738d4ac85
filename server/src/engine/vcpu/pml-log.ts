/**
 * Page-modification logging (§3.6; SDM vol. 3 "Page-modification logging"): a buffer of 512 guest-physical addresses in host
 * memory, filled from the highest entry down.
 */
import { join } from '../bits';
import { Kind } from '../journal/events';
import type { PhysicalMemory } from '../memory/physical-memory';
import type { ModificationLog } from '../x86/walk-caches';
import { Register, type Registers } from './registers';

export const PML_ENTRIES = 512;

export class PmlLog implements ModificationLog {
  /** @param registers of the vCPU, which hold the buffer's address and the index */
  constructor(
    private readonly memory: PhysicalMemory,
    private readonly registers: Registers,
  ) {}

  /** @returns false when the index is outside 0..511: the processor exits with PML_FULL */
  log(lo: number, hi: number): boolean {
    const { memory, registers } = this;
    const index = registers.lo(Register.pmlIndex);
    if (index >>> 0 >= PML_ENTRIES) return false;
    const buffer = join(registers.lo(Register.pmlAddress), registers.hi(Register.pmlAddress));
    memory.journal.row(Kind.pml_log, 0, 0, lo & ~0xfff, hi, index, 0);
    memory.write(buffer + index * 8, lo & ~0xfff, hi);
    registers.set(Register.pmlIndex, (index - 1) & 0xffff, 0);
    return true;
  }
}
