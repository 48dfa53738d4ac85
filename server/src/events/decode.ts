/** Bits and numbers by their names. The facts are those of engine/x86; here they are only put into words. */
import { ACCESS_FETCH, ACCESS_IMPLICIT, ACCESS_READ, ACCESS_USER, ACCESS_WHAT, ACCESS_WRITE, Kind } from '../engine/journal/events';
import { STAGE_GUEST, STAGE_SECOND, STAGE_SHADOW } from '../engine/journal/events';
import type { Program } from '../engine/program';
import { Structure } from '../engine/vcpu/tlb';
import { exitReasonName } from '../engine/mmu/exit-names';
import { pageFaultNames } from '../engine/x86/fault-codes';
import type { Event, Field } from './fields';

const LEVELS = ['', 'PT', 'PD', 'PDPT', 'PML4', 'PML5'];

/** `PT`, `PD`, `PDPT`, `PML4`, `PML5` for levels 1 to 5. */
export function levelName(level: number): string {
  return LEVELS[level] ?? `level ${level}`;
}

const NAMED_FAULT_BITS = 0x807f;

/** Names of the flags of a #PF error code, lowest first, unknown bits as one number: `P`, `W`, `U` (§2.7). */
export function errorFlags(code: number): string[] {
  const rest = (code & ~NAMED_FAULT_BITS) >>> 0;
  return rest === 0 ? pageFaultNames(code) : [...pageFaultNames(code), `0x${rest.toString(16)}`];
}

/** `P·W·U`; empty for 0. */
export function errorCode(code: number): string {
  return errorFlags(code).join('·');
}

/** `user write` from the access bits of an event's small field. */
export function accessText(bits: number): string {
  const what = bits & ACCESS_WHAT;
  const name = what === ACCESS_READ ? 'read' : what === ACCESS_WRITE ? 'write' : what === ACCESS_FETCH ? 'fetch' : 'read-modify-write';
  return `${bits & ACCESS_IMPLICIT ? 'implicit' : bits & ACCESS_USER ? 'user' : 'supervisor'} ${name}`;
}

/** Name of the reason of an exit event, as KVM prints it. */
export function exitReason(event: Event, program: Program): string {
  return exitReasonName(program.machine.host.vendor, Number(event.fields[0]?.value ?? 0n));
}

const STAGES: { readonly [stage: number]: string } = { [STAGE_GUEST]: 'guest', [STAGE_SECOND]: 'second', [STAGE_SHADOW]: 'shadow' };
const VECTORS: { readonly [vector: number]: string } = { 13: '#GP', 14: '#PF' };
const MMIO_TYPES = ['unsatisfied-read', 'read', 'write'];
const USERSPACE_EXITS: { readonly [reason: number]: string } = {
  6: 'KVM_EXIT_MMIO',
  8: 'KVM_EXIT_SHUTDOWN',
  9: 'KVM_EXIT_FAIL_ENTRY',
  17: 'KVM_EXIT_INTERNAL_ERROR',
};

export function userspaceExit(reason: number): string {
  return USERSPACE_EXITS[reason] ?? `KVM_EXIT ${reason}`;
}

export function vectorName(vector: number): string {
  return VECTORS[vector] ?? `vector ${vector}`;
}

export function mmioType(type: number): string {
  return MMIO_TYPES[type] ?? `type ${type}`;
}

/** RET_PF_* of 6.1 (mmu_internal.h). */
const FAULT_RESULTS = ['CONTINUE', 'RETRY', 'EMULATE', 'INVALID', 'FIXED', 'SPURIOUS'];
const TLB_STRUCTURES: { readonly [structure: number]: string } = {
  [Structure.l1]: 'L1',
  [Structure.l2]: 'L2',
  [Structure.guestPhysical]: 'guest-physical',
  [Structure.pagingStructure]: 'paging-structure cache',
  [Structure.secondStructure]: 'second-stage structure cache',
};

const EXITS: readonly Kind[] = [Kind.kvm_exit, Kind.kvm_nested_vmexit, Kind.kvm_nested_vmexit_inject];

/** `48 89 03`: bytes of an emulated instruction, as `__print_hex` has them; the first is the lowest of its field. */
export function instructionBytes(event: Event): string {
  const value = (name: string): bigint => event.fields.find((each) => each.name === name)?.value ?? 0n;
  const bytes = value('bytes');
  const length = Number(value('failed') >> 1n);
  return Array.from({ length }, (_, i) => ((bytes >> BigInt(8 * i)) & 0xffn).toString(16).padStart(2, '0')).join(' ');
}

/** The name that a small field's number stands for, as an exit reason; null when it is only a number. */
export function fieldName(event: Event, field: Field, program: Program): string | null {
  if (field.as !== 'small' && field.name !== 'stage') return null;
  const value = Number(field.value);
  switch (field.name) {
    case 'reason':
      if (EXITS.includes(event.kind)) return exitReason(event, program);
      return event.kind === Kind.kvm_userspace_exit ? userspaceExit(value) : null;
    case 'stage':
      return STAGES[value] ?? null;
    case 'vector':
      return vectorName(value);
    case 'created':
      return value ? 'new' : 'existing';
    case 'result':
      return event.kind === Kind.kvm_mmu_page_fault_return ? (FAULT_RESULTS[value] ?? null) : null;
    case 'structure':
      return TLB_STRUCTURES[value] ?? null;
    case 'type':
      return mmioType(value);
    case 'access':
      return event.kind === Kind.access || event.kind === Kind.value ? accessText(value) : null;
    default:
      return null;
  }
}
