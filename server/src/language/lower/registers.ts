/** Named bits of registers: those of words/paging.ts, where the engine has them. */
import type { RegisterName } from '../../engine/program';
import { REGISTER_BITS } from '../../engine/vcpu/control-registers';
import { REGISTERS } from '../syntax/words/paging';

const MASKS: { readonly [register: string]: { readonly [bit: string]: number } } = REGISTER_BITS;

/** Mask of a bit of a register; null: it has no such bit. */
export function registerBit(register: string, bit: string): bigint | null {
  const mask = REGISTERS[register]?.bits[bit] === undefined ? undefined : MASKS[register]?.[bit];
  return mask === undefined ? null : BigInt(mask >>> 0);
}

const LOADABLE: readonly string[] = ['cr0', 'cr3', 'cr4', 'efer', 'eflags', 'pkru', 'pkrs'] satisfies RegisterName[];

/** A register that a guest can load in a script. */
export function isLoadable(register: string): register is RegisterName {
  return LOADABLE.includes(register);
}
