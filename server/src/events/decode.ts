/** Bits and numbers by their names. The facts are those of the engine; here they are only put into words. */
import { ACCESS_FETCH, ACCESS_IMPLICIT, ACCESS_READ, ACCESS_USER, ACCESS_WHAT, ACCESS_WRITE } from '../engine/journal/events';
import { FIELD_KINDS, type FieldKind, type FieldKindSpec } from '../engine/journal/field-kinds';
import { accessText as accText } from '../engine/mmu/pages/role';
import type { Program } from '../engine/program';
import { exitReasonName } from '../engine/mmu/exit-names';
import { pageFaultNames } from '../engine/x86/fault-codes';
import type { EventOf, Field } from './fields';

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

/** `#PF(P W U)`, `#PF()`: as the language writes it. */
export function pageFault(code: number): string {
  return `#PF(${errorFlags(code).join(' ')})`;
}

/** `P·W·U`; empty for 0. */
export function errorCode(code: number): string {
  return errorFlags(code).join('·');
}

/** `user write` from the access bits of an event. */
export function accessText(bits: number): string {
  const what = bits & ACCESS_WHAT;
  const name = what === ACCESS_READ ? 'read' : what === ACCESS_WRITE ? 'write' : what === ACCESS_FETCH ? 'fetch' : 'read-modify-write';
  return `${bits & ACCESS_IMPLICIT ? 'implicit' : bits & ACCESS_USER ? 'user' : 'supervisor'} ${name}`;
}

type ExitEvent = EventOf<'kvm_exit' | 'kvm_nested_vmexit' | 'kvm_nested_vmexit_inject'>;

/** Name of the reason of an exit event, as KVM prints it. */
export function exitReason({ fields: { reason } }: ExitEvent, program: Program): string {
  return reasonName(reason, program);
}

/** Name of an exit code of 16 bits, as KVM prints it; those of SVM can be negative. */
export function reasonName(reason: number, { machine }: Program): string {
  return exitReasonName(machine.host.vendor, (reason << 16) >> 16);
}

/** The name of a number in a field of a kind; what it is when it has none. */
export function valueName(kind: FieldKind, value: number): string {
  const { values }: FieldKindSpec = FIELD_KINDS[kind];
  return values?.[value]?.name ?? `${kind.replaceAll('_', ' ')} ${value}`;
}

/** `48 89 03`: bytes of an emulated instruction, as `__print_hex` has them; the first is the lowest of its field. */
export function instructionBytes({ fields: { bytes, length } }: EventOf<'kvm_emulate_insn'>): string {
  return Array.from({ length }, (_, i) => ((bytes >> BigInt(8 * i)) & 0xffn).toString(16).padStart(2, '0')).join(' ');
}

/** The name that a field's number stands for, as an exit reason; null when it is only a number. */
export function fieldName({ kind, value }: Field, program: Program): string | null {
  switch (kind) {
    case 'exit_reason':
      return reasonName(Number(value), program);
    case 'access':
      return accessText(Number(value));
    case 'acc':
      return accText(Number(value));
    default: {
      const { values }: FieldKindSpec = FIELD_KINDS[kind];
      return values?.[Number(value)]?.name ?? null;
    }
  }
}
