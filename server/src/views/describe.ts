/** One event in a few words: what the list of steps, the terminal and the trace panel show of it. */
import {
  ACCESS_FETCH,
  ACCESS_IMPLICIT,
  ACCESS_READ,
  ACCESS_USER,
  ACCESS_WHAT,
  ACCESS_WRITE,
  Kind,
  STAGE_GUEST,
  STAGE_SECOND,
  STAGE_SHADOW,
} from '../engine/journal/events';
import type { Program } from '../engine/program';
import type { StepRow } from '../protocol/messages';
import { errorCode, exitReason, levelName } from './decode';
import type { Event, Field } from './fields';
import { hex } from './text';

export interface Described {
  readonly text: string;
  /** The address that the event is about, when it has one. */
  readonly address: string | null;
  readonly kind: StepRow['kind'];
}

const KINDS: { readonly [kind: number]: StepRow['kind'] } = {
  [Kind.statement]: 'statement',
  [Kind.table_read]: 'table',
  [Kind.guest_fault]: 'fault',
  [Kind.ept_violation]: 'fault',
  [Kind.ept_misconfig]: 'fault',
  [Kind.nested_page_fault]: 'fault',
  [Kind.kvm_entry]: 'entry',
  [Kind.kvm_nested_vmenter]: 'entry',
  [Kind.kvm_exit]: 'exit',
  [Kind.kvm_nested_vmexit]: 'exit',
  [Kind.kvm_nested_vmexit_inject]: 'exit',
  [Kind.kvm_userspace_exit]: 'exit',
  [Kind.kvm_page_fault]: 'fault',
  [Kind.kvm_inj_exception]: 'fault',
  [Kind.kvm_mmu_walker_error]: 'fault',
  [Kind.kvm_mmu_pagetable_walk]: 'table',
  [Kind.kvm_mmu_paging_element]: 'table',
};

/** KVM's own work between exit and entry, besides what {@link KINDS} names. */
const FIRST_KVM_EVENT = Kind.kvm_entry;

export function describe(event: Event, program: Program): Described {
  const write = TEXTS[event.kind] ?? generic;
  return { text: write(event, program), address: addressOf(event), kind: stepKind(event.kind) };
}

export function stepKind(kind: Kind): StepRow['kind'] {
  return KINDS[kind] ?? (kind >= FIRST_KVM_EVENT ? 'mmu' : 'other');
}

/** `user write` from the access bits of an event's small field. */
export function accessText(bits: number): string {
  const what = bits & ACCESS_WHAT;
  const name = what === ACCESS_READ ? 'read' : what === ACCESS_WRITE ? 'write' : what === ACCESS_FETCH ? 'fetch' : 'read-modify-write';
  return `${bits & ACCESS_IMPLICIT ? 'implicit' : bits & ACCESS_USER ? 'user' : 'supervisor'} ${name}`;
}

/** A field as text: addresses and entries in hexadecimal, error codes as flags, counts in decimal. */
export function fieldText(each: Field): string {
  switch (each.as) {
    case 'small':
    case 'count':
      return each.value.toString();
    case 'errorCode':
      return errorCode(Number(each.value & 0xffff_ffffn)) || '0';
    default:
      return hex(each.value);
  }
}

const ADDRESSES = new Set(['gva', 'gpa', 'hva', 'hpa']);

function addressOf(event: Event): string | null {
  const address = event.fields.find((each) => ADDRESSES.has(each.as));
  if (address) return hex(address.value);
  const frame = event.fields.find((each) => each.as === 'gfn');
  return frame ? hex(frame.value << 12n) : null;
}

type Write = (event: Event, program: Program) => string;

const generic: Write = (event) => {
  const level = event.level > 0 ? `level ${event.level}` : '';
  return [...event.fields.map((each) => `${each.name} ${fieldText(each)}`), level].filter(Boolean).join(', ');
};

/** Value of a field that the EVENTS table gives the event. */
function get(event: Event, name: string): bigint {
  return event.fields.find((each) => each.name === name)?.value ?? 0n;
}

const TEXTS: { readonly [kind: number]: Write } = {
  [Kind.access]: (event) => `${accessText(Number(get(event, 'access')))} ${hex(get(event, 'address'))}`,
  [Kind.table_read]: (event) => {
    const stage = Number(get(event, 'stage'));
    const table = stage === STAGE_GUEST ? 'guest' : stage === STAGE_SECOND ? 'second stage' : stage === STAGE_SHADOW ? 'shadow' : '';
    return `${table} ${levelName(event.level)} entry at ${hex(get(event, 'address'))} = ${hex(get(event, 'entry'))}`.trim();
  },
  [Kind.translated]: (event) => `${hex(get(event, 'address'))} → hpa ${hex(get(event, 'hpa'))}`,
  [Kind.value]: (event) => `${hex(get(event, 'value'))} at hpa ${hex(get(event, 'hpa'))}`,
  [Kind.guest_fault]: (event) => {
    const vector = Number(get(event, 'vector'));
    if (vector === 13) return '#GP';
    return `#PF ${errorCode(Number(get(event, 'error'))) || '0'}, cr2 ${hex(get(event, 'address'))}`;
  },
  [Kind.kvm_exit]: (event, program) => {
    const info2 = get(event, 'info2');
    return `${exitReason(event, program)}, info1 ${hex(get(event, 'info1'))}${info2 ? `, info2 ${hex(info2)}` : ''}`;
  },
  [Kind.kvm_nested_vmexit]: (event, program) => `${exitReason(event, program)}, info1 ${hex(get(event, 'info1'))}`,
  [Kind.kvm_nested_vmexit_inject]: (event, program) => `${exitReason(event, program)} handed to L1`,
  [Kind.kvm_entry]: (event) => (get(event, 'intr_info_error_code') ? `with event ${hex(get(event, 'intr_info_error_code'))}` : ''),
  [Kind.kvm_mmu_paging_element]: (event) => `${levelName(event.level)} entry ${hex(get(event, 'pte'))}`,
};
