/** Named bits of registers (words/paging.ts lists them). */
import type { RegisterName } from '../../engine/program';
import { Cr0, Cr4, Efer, RFLAGS_AC } from '../../engine/vcpu/control-registers';

const BITS: { readonly [register: string]: { readonly [bit: string]: number } } = {
  cr0: { wp: Cr0.wp, pg: Cr0.pg, pe: Cr0.pe },
  cr4: {
    pse: Cr4.pse, pae: Cr4.pae, pge: Cr4.pge, la57: Cr4.la57, pcide: Cr4.pcide, smep: Cr4.smep, smap: Cr4.smap, pke: Cr4.pke, pks: Cr4.pks,
  },
  efer: { nxe: Efer.nxe, lme: Efer.lme, lma: Efer.lma },
  eflags: { ac: RFLAGS_AC },
}; // prettier-ignore

/** Mask of a bit of a register; null: it has no such bit. */
export function registerBit(register: string, bit: string): bigint | null {
  const mask = BITS[register]?.[bit];
  return mask === undefined ? null : BigInt(mask >>> 0);
}

const LOADABLE: readonly string[] = ['cr0', 'cr3', 'cr4', 'efer', 'eflags', 'pkru', 'pkrs'] satisfies RegisterName[];

/** A register that a guest can load in a script. */
export function isLoadable(register: string): register is RegisterName {
  return LOADABLE.includes(register);
}
