/** Fault codes, qualifications and exit information by their bits. */
import type { Program } from '../../engine/program';
import { Qualification } from '../../engine/x86/fault-codes';
import { errorCode, exitReason, pageFault } from '../decode';
import type { EventOf } from '../fields';
import { hex, joined } from '../wording';
import { mmuOf } from './words';

/** `P·W`; 0 for none. */
export const flags = (code: number): string => errorCode(code) || '0';

/** Exit information of an EPT violation or nested page fault, and of an intercepted #PF, by its bits. */
export function exitInformation(event: EventOf<'kvm_exit' | 'kvm_nested_vmexit' | 'kvm_nested_vmexit_inject'>, program: Program): string {
  const { info1, info2, error_code } = event.fields;
  switch (exitReason(event, program)) {
    case 'EPT_VIOLATION':
      return qualification(info1);
    case 'EPT_MISCONFIG':
      return '';
    case 'EXCEPTION_NMI':
      return `${pageFault(error_code)} at ${hex(info1)}`;
    case 'PF excp':
      return `${pageFault(Number(info1))} at ${hex(info2)}`;
    case 'npf':
      return `${nestedFault(info1)} at gpa ${hex(info2)}`;
    default:
      return joined(info1 !== 0n && `info1 ${hex(info1)}`, info2 !== 0n && `info2 ${hex(info2)}`);
  }
}

/** Qualification of an EPT violation: `0x1aa (write, R-X, final)` (§3.4). */
export function qualification(bits: bigint): string {
  const has = (bit: Qualification): boolean => (bits & BigInt(bit)) !== 0n;
  const access = [has(Qualification.read) && 'read', has(Qualification.write) && 'write', has(Qualification.fetch) && 'fetch']
    .filter(Boolean)
    .join('+');
  const rights = [
    has(Qualification.readable) ? 'R' : '-',
    has(Qualification.writable) ? 'W' : '-',
    has(Qualification.executable) ? 'X' : '-',
  ].join('');
  const where = !has(Qualification.linearValid) ? 'no linear address' : has(Qualification.final) ? 'final' : 'guest table';
  return `${hex(bits)} (${[access, rights === '---' ? 'not present' : rights, where].filter(Boolean).join(', ')})`;
}

/** EXITINFO1 of a nested page fault: `0x1_0000_0006 (W·U, final)` (§3.12). */
export function nestedFault(info: bigint): string {
  const where = (info >> 33n) & 1n ? 'guest table' : (info >> 32n) & 1n ? 'final' : '';
  return `${hex(info)} (${[errorCode(Number(info & 0xffff_ffffn)), where].filter(Boolean).join(', ')})`;
}

/** Information that `kvm_page_fault` shows: an exit qualification under EPT, else an error code. */
export function faultInformation(event: EventOf<'kvm_page_fault'>, program: Program): string {
  const info = event.fields.error_code;
  if (info >> 32n) return nestedFault(info);
  if (mmuOf(event, program) === 'ept') return qualification(info);
  return flags(Number(info));
}
