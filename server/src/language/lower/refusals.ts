/** Why a processor refuses a register load, in words; whether it does is the engine's to say (§2.1, §2.2, §2.11). */
import type { RegisterName } from '../../engine/program';
import { Cr0, Cr4, Efer } from '../../engine/vcpu/control-registers';
import type { RegisterTracker } from './run-state';

const bits = (mask: number): bigint => BigInt(mask >>> 0);

/** @param value what the register would hold; @param before the registers that refuse it */
export function refusalReason(name: RegisterName, value: bigint, before: RegisterTracker): string {
  const { features, maxPhyAddr } = before.rules;
  const old = before.value(name);
  const has = (mask: number): boolean => (value & bits(mask)) !== 0n;
  const changes = (mask: number): boolean => ((value ^ old) & bits(mask)) !== 0n;
  const long = (before.value('efer') & bits(Efer.lma)) !== 0n;
  switch (name) {
    case 'cr0':
      if (value >> 32n !== 0n) return 'bits 63:32 of CR0 are reserved';
      if (has(Cr0.pg) && !has(Cr0.pe)) return 'CR0.PG needs CR0.PE';
      if (has(Cr0.nw) && !has(Cr0.cd)) return 'CR0.NW needs CR0.CD';
      if (changes(Cr0.pg) && has(Cr0.pg)) return 'paging with EFER.LME needs CR4.PAE';
      return 'CR0.PG cannot be cleared while CR4.PCIDE is 1';
    case 'cr3':
      return `CR3 has bits at or above MAXPHYADDR (${maxPhyAddr})`;
    case 'cr4':
      if (long && changes(Cr4.la57)) return 'CR4.LA57 cannot change in long mode';
      if (long && !has(Cr4.pae)) return 'CR4.PAE cannot be cleared in long mode';
      if (changes(Cr4.pcide) && has(Cr4.pcide)) {
        if (!long && features.pcid) return 'CR4.PCIDE needs long mode';
        if ((before.value('cr3') & 0xfffn) !== 0n && features.pcid) return 'CR4.PCIDE can be set only while bits 11:0 of CR3 are 0';
      }
      return 'a bit of CR4 is reserved, or belongs to a feature that the guest has not';
    case 'efer':
      if (changes(Efer.lme) && (before.value('cr0') & bits(Cr0.pg)) !== 0n) return 'EFER.LME cannot change while paging is on';
      return 'a bit of EFER is reserved, or belongs to a feature that the guest has not';
    default:
      return 'bits 63:32 are reserved';
  }
}
