/**
 * The code of a `kvm_page_fault` by the kind of MMU in force: a #PF error code (§2.7), the exit qualification of an EPT violation (§3.4),
 * or EXITINFO1 of a nested page fault (§3.12). The tracepoint calls all three `error_code` (vmx.c: handle_ept_violation, svm.c:
 * npf_interception, mmu.c: kvm_handle_page_fault).
 */
import type { MmuKind } from '../../engine/program';
import { PageFault, Qualification } from '../../engine/x86/fault-codes';
import { flags, nestedFault, qualification } from '../../events/words/codes';

/** How it is known whose code it is: its own exit, others of the trace, or its bits alone. */
type KnownBy = 'exit' | 'trace' | 'bits';

export interface FaultCode {
  readonly code: bigint;
  readonly mmu: MmuKind;
  readonly by: KnownBy;
  readonly write: boolean;
  readonly fetch: boolean;
  /** Every entry on the way is present: rights deny the access. */
  readonly present: boolean;
  /** A bit that must be 0 is set in an entry. */
  readonly reserved: boolean;
  /** The processor was reading or writing a table of the guest on its way to the address. */
  readonly table: boolean;
  /** `0x83 (read+write, not present, guest table)` */
  readonly text: string;
}

/** Bits 7 and 8 are those of a qualification, and of no #PF error code. */
const OF_EPT = BigInt(Qualification.linearValid | Qualification.final);

/** Which kind of code it can be by its bits: NPT's have bit 32 or 33. */
export function mmuByBits(code: bigint): MmuKind {
  if (code >> 32n !== 0n) return 'npt';
  return (code & OF_EPT) !== 0n ? 'ept' : 'soft';
}

export function faultCode(code: bigint, mmu: MmuKind, by: KnownBy): FaultCode {
  const has = (bit: number): boolean => (code & BigInt(bit)) !== 0n;
  if (mmu === 'ept') {
    return {
      code,
      mmu,
      by,
      write: has(Qualification.write),
      fetch: has(Qualification.fetch),
      present: has(Qualification.readable | Qualification.writable | Qualification.executable),
      reserved: false,
      table: has(Qualification.linearValid) && !has(Qualification.final),
      text: qualification(code),
    };
  }
  return {
    code,
    mmu,
    by,
    write: has(PageFault.write),
    fetch: has(PageFault.fetch),
    present: has(PageFault.present),
    reserved: has(PageFault.reserved),
    table: mmu === 'npt' && ((code >> 33n) & 1n) === 1n,
    text: mmu === 'npt' ? nestedFault(code) : `0x${code.toString(16)} (#PF ${flags(Number(code & 0xffff_ffffn))})`,
  };
}
