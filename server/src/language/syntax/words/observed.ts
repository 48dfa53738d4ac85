/** Words for what is observed: kinds, formats, events, exit reasons, error codes, states. */
import { EVENTS, type EventSpec } from '../../../engine/journal/event-table';
import { STATISTICS } from '../../../engine/journal/statistics';
import { FIELD_KINDS, type FieldKind, type FieldKindSpec } from '../../../engine/journal/field-kinds';
import { error } from '../../expectations/error';
import { fault } from '../../expectations/fault';
import { page } from '../../expectations/page';
import type { Words } from '../../kind';
import { tables } from '../../machine/tables/tables';
import { invalidate } from '../../statements/invalidate';

export const MMU_KINDS: Words = {
  soft: 'Soft MMU: shadow page tables.',
  ept: "Hard MMU with Intel's extended page tables.",
  npt: "Hard MMU with AMD's nested page tables.",
};

/** Events of the journal, with KVM's names where KVM has them. */
export const EVENT_WORDS: Words = Object.fromEntries(
  Object.values<EventSpec>(EVENTS).map((event) => [
    event.name,
    `${event.about[0]?.toUpperCase()}${event.about.slice(1)}.${event.tracepoint !== undefined ? " KVM's tracepoint." : ''}`,
  ]),
);

/** What `kvm_stat` counts on the host. */
export const STATISTIC_WORDS: Words = Object.fromEntries(
  Object.entries(STATISTICS).map(([name, { about, function: place }]) => [name, `${about[0]?.toUpperCase()}${about.slice(1)} (${place}).`]),
);

/** Who acts in an event: the value of its field `actor`. */
export const ACTORS: Words = {
  processor: 'The processor.',
  L0: "The host's KVM.",
  L1: 'The VM on the host; as a hypervisor too.',
  L2: 'The VM inside that VM.',
  user: 'The VMM, a process of the host.',
};

/** Names that stand for numbers in the fields of an event, besides exit reasons. */
export const EVENT_VALUES: { readonly [event: string]: Words } = Object.fromEntries(
  Object.values<EventSpec>(EVENTS)
    .map(({ name, fields }): [string, Words] => [name, Object.assign({}, ...fields.map(({ kind }) => valueWords(kind)))])
    .filter(([, values]) => Object.keys(values).length > 0),
);

/** Names of a kind's numbers that are words of the language. */
export function valueWords(kind: FieldKind): Words {
  const { values = {} }: FieldKindSpec = FIELD_KINDS[kind];
  return Object.fromEntries(Object.values(values).flatMap(({ name, about }) => (/^\w+$/.test(name) ? [[name, about]] : [])));
}

/** VM exit reasons by KVM's names for VMX and SVM. */
export const REASONS: Words = {
  '#PF': 'An intercepted page fault, on Intel and AMD.',
  EXCEPTION_NMI: 'VMX: an exception that the exception bitmap intercepts; here #PF.',
  EXTERNAL_INTERRUPT: 'VMX: an interrupt of the host; here the kick of a running vCPU whose translations must go.',
  TRIPLE_FAULT: 'VMX: the guest cannot go on; here, its root is in no slot.',
  CR_ACCESS: 'VMX: MOV to or from a control register.',
  INVLPG: 'VMX: INVLPG.',
  INVPCID: 'VMX: INVPCID.',
  EPT_VIOLATION: 'VMX: EPT does not allow the access.',
  EPT_MISCONFIG: 'VMX: an EPT entry is malformed; KVM makes such entries for MMIO.',
  PML_FULL: 'VMX: the page-modification log is full.',
  INVALID_STATE: 'VMX: the entry has failed by guest state that no guest may have; L1 sees it as an exit.',
  VMLAUNCH: 'VMX: L1 executes VMLAUNCH.',
  VMRESUME: 'VMX: L1 executes VMRESUME.',
  VMREAD: 'VMX: L1 executes VMREAD.',
  VMWRITE: 'VMX: L1 executes VMWRITE.',
  INVEPT: 'VMX: L1 executes INVEPT.',
  INVVPID: 'VMX: L1 executes INVVPID.',
  CPUID: 'VMX: CPUID.',
  VMCALL: 'VMX: VMCALL, a call of the hypervisor.',
  MSR_READ: 'VMX: RDMSR.',
  MSR_WRITE: 'VMX: WRMSR, as of EFER.',
  npf: 'SVM: nested page fault.',
  shutdown: 'SVM: the guest cannot go on; here, its root is in no slot.',
  interrupt: 'SVM: an interrupt of the host; here the kick of a running vCPU whose translations must go.',
  write_cr0: 'SVM: MOV to CR0.',
  cr0_sel_write: 'SVM: MOV to CR0 that changes more than CR0.TS and CR0.MP.',
  write_cr3: 'SVM: MOV to CR3.',
  read_cr0: 'SVM: MOV from CR0.',
  read_cr3: 'SVM: MOV from CR3.',
  read_cr4: 'SVM: MOV from CR4.',
  write_cr4: 'SVM: MOV to CR4.',
  invlpg: 'SVM: INVLPG.',
  invpcid: 'SVM: INVPCID.',
  invlpga: 'SVM: L1 executes INVLPGA.',
  cpuid: 'SVM: CPUID.',
  hypercall: 'SVM: VMMCALL, a call of the hypervisor.',
  msr: 'SVM: RDMSR or WRMSR.',
  vmrun: 'SVM: L1 executes VMRUN.',
  invalid: 'SVM: VMRUN refuses the VMCB.',
};

/* ---------------------------------------------------------------- brought by one kind each */

export const FORMATS: Words = tables.words.format;
export const SCOPES: Words = invalidate.words.scope;
export const ERRNOS: Words = error.words.errno;
export const PAGE_STATES: Words = page.words.state;
/** Flags of the #PF error code. */
export const FAULT_FLAGS: Words = fault.words['fault-flag'];
