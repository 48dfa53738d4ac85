/** What registers are called. */
import { Register } from '../engine/vcpu/registers';

const REGISTER_NAMES: { readonly [register: number]: string } = {
  [Register.rflags]: 'RFLAGS',
  [Register.hwCr0]: 'CR0 in hardware',
  [Register.hwCr3]: 'CR3 in hardware',
  [Register.hwCr4]: 'CR4 in hardware',
  [Register.hwEfer]: 'EFER in hardware',
  [Register.hwPdpte0]: 'PDPTE0 in hardware',
  [Register.hwPdpte1]: 'PDPTE1 in hardware',
  [Register.hwPdpte2]: 'PDPTE2 in hardware',
  [Register.hwPdpte3]: 'PDPTE3 in hardware',
  [Register.pmlAddress]: 'PML address',
  [Register.pmlIndex]: 'PML index',
};

/** `CR3`, `CR3 in hardware`; what is called differently by vendors is not named here. */
export function registerName(register: number): string {
  return REGISTER_NAMES[register] ?? (Register[register] ?? `register ${register}`).toUpperCase();
}
