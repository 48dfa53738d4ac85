/** The first stage of a context as a guest's own registers select it: how a guest runs under EPT or NPT, or on bare hardware. */
import { STAGE_GUEST } from '../journal/events';
import { Cr0, Cr4, keysOf, pagingModeOf, pcidOf, policyOf, type GuestFormats } from './control-registers';
import type { Context } from './processor-context';
import { Register, type Registers } from './registers';

/**
 * Set the first stage of a context from the registers of a guest.
 *
 * @param pdptesInMemory PDPTEs are read at each walk instead of their registers (AMD with nested paging)
 */
export function useGuestRegisters(context: Context, registers: Registers, formats: GuestFormats, pdptesInMemory: boolean): void {
  const mode = pagingModeOf(registers);
  const long = mode === '4-level' || mode === '5-level';
  context.first = formats.of(registers);
  context.firstStage = STAGE_GUEST;
  context.rootLo = registers.lo(Register.cr3);
  context.rootHi = long ? registers.hi(Register.cr3) : 0;
  context.pdptes = mode === 'pae' && !pdptesInMemory ? registers.pdptes(Register.pdpte0) : null;
  context.policy = policyOf(registers);
  context.keys = keysOf(registers);
  context.pkru = registers.lo(Register.pkru);
  context.pkrs = registers.lo(Register.pkrs);
  context.globalPages = (registers.lo(Register.cr0) & Cr0.pg) !== 0 && (registers.lo(Register.cr4) & Cr4.pge) !== 0;
  context.pcid = pcidOf(registers);
}
