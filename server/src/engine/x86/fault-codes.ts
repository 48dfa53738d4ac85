/**
 * Fault codes: #PF error code (§2.7), EPT-violation exit qualification (§3.4) and EXITINFO1 of a nested page fault
 * (§3.12), from what a walk came to.
 */
import { ACCESS_FETCH, ACCESS_IMPLICIT, ACCESS_USER, ACCESS_WHAT, ACCESS_WRITE } from '../journal/events';
import { Access, Policy, Rights } from './permissions';
import { Walk } from './stage';

export enum PageFault {
  present = 1 << 0,
  write = 1 << 1,
  user = 1 << 2,
  reserved = 1 << 3,
  fetch = 1 << 4,
  key = 1 << 5,
}

/** What an access contributes to a #PF error code. */
function accessErrorCode(access: number, policy: number): number {
  const what = access & ACCESS_WHAT;
  let code = what === ACCESS_WRITE ? PageFault.write : 0;
  if ((access & ACCESS_USER) !== 0 && (access & ACCESS_IMPLICIT) === 0) code |= PageFault.user;
  if (what === ACCESS_FETCH && (policy & (Policy.smep | Policy.nxe)) !== 0) code |= PageFault.fetch;
  return code;
}

/** #PF error code of a failed walk. */
export function pageFaultCode(status: number, access: number, policy: number, keyDenied: boolean): number {
  const code = accessErrorCode(access, policy);
  if (status === Walk.reserved) return code | PageFault.present | PageFault.reserved;
  if (status === Walk.denied) return code | PageFault.present | (keyDenied ? PageFault.key : 0);
  return code;
}

export enum Qualification {
  read = 1 << 0,
  write = 1 << 1,
  fetch = 1 << 2,
  readable = 1 << 3,
  writable = 1 << 4,
  executable = 1 << 5,
  linearValid = 1 << 7,
  /** The access was to the final translation of the linear address, not to a guest paging-structure entry. */
  final = 1 << 8,
}

/**
 * Exit qualification of an EPT violation.
 *
 * @param rights {@link Rights} host bits, all entries used taken together; 0 when one was not present
 */
export function eptQualification(access: number, rights: number): number {
  const what = access & ACCESS_WHAT;
  const table = (access & Access.table) !== 0;
  let bits = what === ACCESS_WRITE ? Qualification.write : what === ACCESS_FETCH ? Qualification.fetch : Qualification.read;
  // A guest-table access that counts as a write is a read as well (§13 U4a).
  if (table && what === ACCESS_WRITE) bits |= Qualification.read;
  if ((rights & Rights.hostRead) !== 0) bits |= Qualification.readable;
  if ((rights & Rights.hostWrite) !== 0) bits |= Qualification.writable;
  if ((rights & Rights.hostExecute) !== 0) bits |= Qualification.executable;
  if ((access & Access.noLinear) !== 0) return bits;
  return bits | Qualification.linearValid | (table ? 0 : Qualification.final);
}

/** High half of EXITINFO1: bit 32, or 33 for a guest-table access. The low half is {@link pageFaultCode}. */
export function exitInfo1High(access: number): number {
  return (access & Access.table) !== 0 ? 2 : 1;
}

const PAGE_FAULT_NAMES = ['P', 'W', 'U', 'RSVD', 'I', 'PK', 'SS'];

/** Names of the flags set in a #PF error code, lowest first: `P W U`. */
export function pageFaultNames(code: number): string[] {
  const names = PAGE_FAULT_NAMES.filter((_, bit) => (code & (1 << bit)) !== 0);
  if ((code & (1 << 15)) !== 0) names.push('SGX');
  return names;
}
