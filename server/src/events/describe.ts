/** One event in a few words: what the list of steps, the terminal and the trace panel show of it. */
import { Actor, Kind, STAGE_GUEST, STAGE_SECOND, STAGE_SHADOW } from '../engine/journal/events';
import type { MmuKind, Program } from '../engine/program';
import type { EntryKind } from '../engine/x86/entries';
import { FlushScope } from '../engine/vcpu/invalidations';
import { Structure } from '../engine/vcpu/tlb';
import { PageFault, Qualification } from '../engine/x86/fault-codes';
import type { StepRow } from '../protocol/messages';
import { accessText, errorCode, exitReason, fieldName, instructionBytes, levelName, mmioType, userspaceExit, vectorName } from './decode';
import { entryText, spteFormat, spteNote } from './entry-text';
import type { Event, Field } from './fields';
import { nested } from './guests';
import { roleWords, shadowPageOf } from './page-role';
import { hex, joined, plural } from './wording';

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
const FIRST_KVM_EVENT = Kind.kvm_mmu_page_fault_return;

export function describe(event: Event, program: Program): Described {
  const write = TEXTS[event.kind] ?? generic;
  return { text: write(event, program), address: addressOf(event), kind: stepKind(event.kind) };
}

export function stepKind(kind: Kind): StepRow['kind'] {
  return KINDS[kind] ?? (kind >= FIRST_KVM_EVENT ? 'mmu' : 'other');
}

/** A field as text: addresses and entries in hexadecimal, error codes as flags, names where numbers stand for them. */
export function fieldText(event: Event, each: Field, program: Program): string {
  const name = fieldName(event, each, program);
  if (name !== null) return name;
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

/** What an event without words of its own shows: its fields by name. */
const generic: Write = (event, program) => {
  const level = event.level > 0 ? `level ${event.level}` : '';
  return [...event.fields.map((each) => `${each.name} ${fieldText(event, each, program)}`), level].filter(Boolean).join(', ');
};

/** Value of a field that the EVENTS table gives the event. */
function get(event: Event, name: string): bigint {
  return event.fields.find((each) => each.name === name)?.value ?? 0n;
}

/** Name that a small field's number stands for. */
function named(event: Event, name: string, program: Program): string {
  const found = event.fields.find((each) => each.name === name);
  return found ? fieldText(event, found, program) : '';
}

const small = (event: Event, name: string): number => Number(get(event, name) & 0xffff_ffffn);
const at = (event: Event, name: string): string => hex(get(event, name));

/** What a hypervisor does for its guest: L0's is the VM of the host, L1's the VM in it. */
export function mmuOf({ actor }: Event, { machine: { vms } }: Program): MmuKind | null {
  return (actor === Actor.L1 ? vms.find(({ parent }) => parent !== null) : vms[0])?.mmu ?? null;
}

/** Format of the entries that the hypervisor makes. */
function hostEntries(event: Event, program: Program): EntryKind {
  return mmuOf(event, program) === 'ept' ? 'ept' : 'paging';
}

/** An entry that the hypervisor made: `0x5b77 (R W X …)`, `0x200_0026 (MMIO, generation 4)`. */
function spte(event: Event, name: string, program: Program): string {
  const value = get(event, name);
  const kind = hostEntries(event, program);
  const note = spteNote(spteFormat(program.machine.host, kind === 'ept'), value);
  return note ? `${hex(value)} (${note})` : entryText(kind, event.level, value);
}

/** KVM_PFN_NOSLOT */
const NO_SLOT = 1n << 63n;
const pfn = (event: Event): string => (get(event, 'pfn') === NO_SLOT ? 'no slot' : `pfn ${at(event, 'pfn')}`);

/** Format of the entries of a stage: of a second stage, what the vendor has. */
function stageEntries(event: Event, program: Program): EntryKind {
  return small(event, 'stage') === STAGE_SECOND && program.machine.host.vendor === 'intel' ? 'ept' : 'paging';
}

/** Hardware walks shadow tables above a second stage: those of a soft L1, in L1's memory. */
const shadowOfL1 = ({ machine }: Program): boolean => machine.vms[0]?.mmu !== 'soft' && nested(machine);

const level = (event: Event): string => (event.level > 0 ? `level ${event.level}` : '');

const shadowPage: Write = (event) => {
  const page = shadowPageOf(event);
  return joined(
    `gfn ${at(event, 'gfn')}`,
    ...roleWords(page),
    page.unsync && 'unsync',
    page.rootCount > 0 && `root ${page.rootCount}`,
    page.gen > 0 && `gen ${page.gen}`,
  );
};

/** `guest PML4`, `EPT4`, `NPT1`, `shadow PT`, `SPT12 PT`: the table whose entry the processor read. */
export function tableName(event: Event, program: Program): string {
  const stage = small(event, 'stage');
  if (stage === STAGE_SECOND) return `${program.machine.host.vendor === 'intel' ? 'EPT' : 'NPT'}${event.level}`;
  return `${stage === STAGE_GUEST ? 'guest' : shadowOfL1(program) ? 'SPT12' : 'shadow'} ${levelName(event.level)}`;
}

/** Exit information of an EPT violation or nested page fault, and of an intercepted #PF, by its bits. */
function exitInformation(event: Event, program: Program): string {
  const reason = exitReason(event, program);
  const info1 = get(event, 'info1');
  const info2 = get(event, 'info2');
  const error = Number((get(event, 'intr_info_error_code') >> 32n) & 0xffff_ffffn);
  switch (reason) {
    case 'EPT_VIOLATION':
      return qualification(info1);
    case 'EPT_MISCONFIG':
      return '';
    case 'EXCEPTION_NMI':
      return `#PF ${errorCode(error) || '0'} at ${hex(info1)}`;
    case 'PF excp':
      return `#PF ${errorCode(Number(info1)) || '0'} at ${hex(info2)}`;
    case 'npf':
      return `${nestedFault(info1)} at gpa ${hex(info2)}`;
    default:
      return joined(info1 !== 0n && `info1 ${hex(info1)}`, info2 !== 0n && `info2 ${hex(info2)}`);
  }
}

/** Qualification of an EPT violation: `0x1aa (write, R-X, final)` (§3.4). */
function qualification(bits: bigint): string {
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
function nestedFault(info: bigint): string {
  const where = (info >> 33n) & 1n ? 'guest table' : (info >> 32n) & 1n ? 'final' : '';
  return `${hex(info)} (${[errorCode(Number(info & 0xffff_ffffn)), where].filter(Boolean).join(', ')})`;
}

/** Information that `kvm_page_fault` shows: an exit qualification under EPT, else an error code. */
function faultInformation(event: Event, program: Program): string {
  const info = get(event, 'error_code');
  if (info >> 32n) return nestedFault(info);
  if (mmuOf(event, program) === 'ept') return qualification(info);
  return errorCode(Number(info)) || '0';
}

const exit: Write = (event, program) => joined(exitReason(event, program), exitInformation(event, program));

/** Whose exit or entry it is, where there are two guests. */
const guestOf = (event: Event, { machine }: Program): string | false =>
  nested(machine) && (event.actor === Actor.L1 || get(event, 'guest_mode') !== 0n ? 'L2' : 'L1');

/** What a table of this space is called in: the memory of the hypervisor that made it. */
const tableSpace = ({ actor }: Event): string => (actor === Actor.L1 ? 'gpa' : 'hpa');

/** Names of the paging-structure caches (SDM vol. 3 "Paging-Structure Caches") by the level of their entries. */
const STRUCTURE_CACHES = ['', '', 'PDE', 'PDPTE', 'PML4', 'PML5'];

/** `L1 0x40_0123 → hpa 0x120_0123`, `PDE cache 0x40_0123 → table 0x4000`. */
const cachedTranslation: Write = (event, program) => {
  const structure = small(event, 'structure');
  const reached = `${at(event, 'address')} →`;
  switch (structure) {
    case Structure.pagingStructure:
      return `${STRUCTURE_CACHES[event.level] ?? ''} cache ${reached} table at ${at(event, 'hpa')}`;
    case Structure.secondStructure:
      return `${program.machine.host.vendor === 'intel' ? 'EPT' : 'NPT'}${event.level} cache gpa ${reached} table at hpa ${at(event, 'hpa')}`;
    case Structure.guestPhysical:
      return `gpa ${reached} hpa ${at(event, 'hpa')}`;
    default:
      return `${named(event, 'structure', program)} ${reached} hpa ${at(event, 'hpa')}`;
  }
};

/** `L1, L2 0x40_0123 → hpa 0x120_0123`: a translation is put into both, but pages of 1G into L1 alone. */
const filledTranslation: Write = (event) => {
  const size = ['', '', ' · page of 2M', ' · page of 1G'][event.level] ?? '';
  return `${event.level < 3 ? 'L1, L2' : 'L1'} ${at(event, 'address')} → hpa ${at(event, 'hpa')}${size}`;
};

const FLUSHES: { readonly [scope in FlushScope]: string } = {
  [FlushScope.page]: 'one page',
  [FlushScope.nonGlobal]: 'non-global pages',
  [FlushScope.pcid]: 'all pages of the PCID',
  [FlushScope.allNonGlobal]: 'non-global pages of every PCID',
  [FlushScope.all]: 'everything',
  [FlushScope.allVpids]: 'everything, of every VPID',
  [FlushScope.eptContext]: 'one EPT context',
  [FlushScope.eptGlobal]: 'every EPT context',
};

const TEXTS: { readonly [kind: number]: Write } = {
  [Kind.access]: (event) => `${accessText(small(event, 'access'))} ${at(event, 'address')}`,
  [Kind.table_read]: (event, program) => {
    const stage = small(event, 'stage');
    const entry = entryText(stageEntries(event, program), event.level, get(event, 'entry'));
    const physical = stage === STAGE_GUEST || (stage === STAGE_SHADOW && shadowOfL1(program)) ? 'gpa' : 'hpa';
    return `${tableName(event, program)} entry ${entry} at ${physical} ${at(event, 'address')}`;
  },
  [Kind.translated]: (event) => `${at(event, 'address')} → hpa ${at(event, 'hpa')}`,
  [Kind.value]: (event) => `${accessText(small(event, 'access')).split(' ').at(-1)} ${at(event, 'value')} at hpa ${at(event, 'hpa')}`,
  [Kind.guest_fault]: (event) => {
    const vector = vectorName(small(event, 'vector'));
    return vector === '#PF' ? `#PF ${errorCode(small(event, 'error')) || '0'}, cr2 ${at(event, 'address')}` : vector;
  },
  [Kind.tlb_hit]: cachedTranslation,
  [Kind.tlb_fill]: filledTranslation,
  [Kind.tlb_flush]: (event) => {
    const scope = small(event, 'scope');
    return joined(FLUSHES[scope as FlushScope] ?? `scope ${scope}`, scope === FlushScope.page && at(event, 'address'));
  },
  [Kind.ept_violation]: (event) => `gpa ${at(event, 'gpa')}, ${qualification(get(event, 'qualification'))}`,
  [Kind.ept_misconfig]: (event) => joined(`gpa ${at(event, 'gpa')}`, level(event), `entry ${at(event, 'entry')}`),
  [Kind.nested_page_fault]: (event) => `gpa ${at(event, 'gpa')}, ${nestedFault(get(event, 'exitinfo1'))}`,
  [Kind.pml_log]: (event) => `gpa ${at(event, 'gpa')} into entry ${small(event, 'index')}`,
  [Kind.stale]: (event) => `${at(event, 'address')}: the entry in memory is ${at(event, 'entry')} now`,

  [Kind.kvm_mmu_page_fault_return]: (event, program) => joined(named(event, 'result', program), at(event, 'address')),
  [Kind.kvm_page_track_add]: (event) => `gfn ${at(event, 'gfn')}`,
  [Kind.kvm_page_track_remove]: (event) => `gfn ${at(event, 'gfn')}`,
  [Kind.kvm_mmu_pte_write]: (event) => `gpa ${at(event, 'gpa')} = ${at(event, 'new')}`,
  [Kind.kvm_flush_remote_tlbs]: (event) =>
    get(event, 'pages') === 0n ? 'all' : `${plural(small(event, 'pages'), 'page')} from gfn ${at(event, 'gfn')}`,
  [Kind.kvm_load_root]: (event) =>
    joined(`table at ${tableSpace(event)} ${at(event, 'root')}`, level(event), get(event, 'pgd') !== 0n && `for root ${at(event, 'pgd')}`),
  [Kind.rmap_write_protect]: (event) =>
    joined(`sptes of gfn ${at(event, 'gfn')} lose W${get(event, 'shadow') ? ' and MMU-W' : ''}`, event.level > 1 && level(event)),

  [Kind.kvm_entry]: (event, program) => {
    const both = get(event, 'intr_info_error_code');
    const fault = both !== 0n && `with ${vectorName(Number(both & 0xffn))} ${errorCode(Number(both >> 32n)) || '0'}`;
    const guest = guestOf(event, program);
    return [guest && `into ${guest}`, `rip ${at(event, 'rip')}`, fault].filter(Boolean).join(', ');
  },
  [Kind.kvm_exit]: (event, program) => joined(guestOf(event, program) && `from ${guestOf(event, program)}`, exit(event, program)),
  [Kind.kvm_nested_vmexit]: exit,
  [Kind.kvm_nested_vmexit_inject]: (event, program) => `${exit(event, program)} · handed to L1`,
  [Kind.kvm_page_fault]: (event, program) => `${at(event, 'address')}, ${faultInformation(event, program)}`,
  [Kind.kvm_inj_exception]: (event) =>
    `${vectorName(small(event, 'vector'))} ${errorCode(small(event, 'error_code')) || '0'}, cr2 ${at(event, 'cr2')}`,
  [Kind.kvm_cr]: (event) => `${get(event, 'write') ? 'write' : 'read'} CR${small(event, 'cr')} = ${at(event, 'value')}`,
  [Kind.kvm_msr]: (event) => `write MSR ${at(event, 'msr')} = ${at(event, 'value')}`,
  [Kind.kvm_mmu_pagetable_walk]: (event, program) =>
    joined(`walk ${at(event, 'addr')}${ofL1(event) ? ` in L1's ${secondName(program)}` : ''}`, errorCode(small(event, 'pferr'))),
  [Kind.kvm_mmu_paging_element]: (event, program) => {
    const name = ofL1(event) ? `${secondName(program)}${event.level}` : levelName(event.level);
    return `${name} entry ${entryText(stageEntries(event, program), event.level, get(event, 'pte'))} at gpa ${at(event, 'gpa')}`;
  },
  [Kind.kvm_mmu_set_accessed_bit]: (event) => `A in the entry at gpa ${at(event, 'gpa')}`,
  [Kind.kvm_mmu_set_dirty_bit]: (event) => `D in the entry at gpa ${at(event, 'gpa')}`,
  [Kind.kvm_mmu_walker_error]: (event) => {
    const code = small(event, 'pferr');
    return `${ofL1(event) ? '' : '#PF '}${errorCode(code) || '0'}: ${walkerError(code)}`;
  },
  [Kind.kvm_mmu_get_page]: (event, program) => joined(get(event, 'created') ? 'new' : 'existing', shadowPage(event, program)),
  [Kind.kvm_mmu_sync_page]: shadowPage,
  [Kind.kvm_mmu_unsync_page]: shadowPage,
  [Kind.kvm_mmu_prepare_zap_page]: shadowPage,
  [Kind.kvm_mmu_spte_requested]: (event) => joined(`gfn ${at(event, 'gfn')} → ${pfn(event)}`, level(event)),
  [Kind.kvm_mmu_set_spte]: (event, program) => joined(`gfn ${at(event, 'gfn')} → ${spte(event, 'spte', program)}`, level(event)),
  [Kind.kvm_tdp_mmu_spte_changed]: (event, program) =>
    joined(`gfn ${at(event, 'gfn')}: ${at(event, 'old_spte')} → ${spte(event, 'new_spte', program)}`, level(event)),
  [Kind.mark_mmio_spte]: (event) => joined(`gfn ${at(event, 'gfn')}`, `spte ${at(event, 'spte')}`, `generation ${small(event, 'gen')}`),
  [Kind.check_mmio_spte]: (event) =>
    joined(
      `spte ${at(event, 'spte')}`,
      `generation ${small(event, 'spte_gen')}, now ${small(event, 'kvm_gen')}`,
      get(event, 'valid') ? 'valid' : 'stale',
    ),
  [Kind.handle_mmio_page_fault]: (event) => `${at(event, 'addr')}, gfn ${at(event, 'gfn')}`,
  [Kind.fast_page_fault]: (event) => {
    const result = small(event, 'result');
    const came = result & 1 ? 'spurious' : result & 2 ? `fixed: ${at(event, 'old')} → ${at(event, 'new')}` : 'refused';
    return joined(at(event, 'address'), came);
  },
  [Kind.kvm_mmu_zap_all_fast]: (event) => `generation ${small(event, 'valid_gen')} is over, ${small(event, 'used_pages')} pages in use`,
  [Kind.kvm_mmu_split_huge_page]: (event) => joined(`gfn ${at(event, 'gfn')}`, `spte ${at(event, 'spte')}`, level(event)),
  [Kind.kvm_emulate_insn]: (event) =>
    joined(`rip ${at(event, 'rip')}`, instructionBytes(event), small(event, 'failed') & 1 ? 'failed' : ''),
  [Kind.vcpu_match_mmio]: (event) => `${small(event, 'write') & 1 ? 'write' : 'read'} ${at(event, 'gva')} → gpa ${at(event, 'gpa')}`,
  [Kind.kvm_mmio]: (event) =>
    `${mmioType(small(event, 'type'))} of ${small(event, 'len')} at gpa ${at(event, 'gpa')}, value ${at(event, 'val')}`,
  [Kind.kvm_userspace_exit]: (event) => {
    const errno = small(event, 'errno');
    if (errno) return `KVM_RUN fails with errno ${errno}`;
    return joined(userspaceExit(small(event, 'reason')), get(event, 'gpa') !== 0n && `gpa ${at(event, 'gpa')}`);
  },
  [Kind.kvm_pml_full]: () => 'the PML buffer is full',
  [Kind.kvm_unmap_hva_range]: (event) => `hva ${at(event, 'start')} .. ${at(event, 'end')}`,
  [Kind.kvm_nested_vmenter]: (event, program) => {
    const tdp = get(event, 'nested_tdp') !== 0n;
    const root = !tdp ? 'CR3' : program.machine.host.vendor === 'intel' ? 'EPTP' : 'nCR3';
    return joined(`${root} ${at(event, 'nested_root')}`, get(event, 'event_inj') !== 0n && `event ${at(event, 'event_inj')}`);
  },
};

/** A software walk of L1's EPT or nested tables for L2. */
const ofL1 = (event: Event): boolean => small(event, 'stage') === STAGE_SECOND;
const secondName = ({ machine }: Program): string => (machine.host.vendor === 'intel' ? 'EPT' : 'NPT');

function walkerError(code: number): string {
  if ((code & PageFault.reserved) !== 0) return 'a reserved bit is set';
  return (code & PageFault.present) !== 0 ? 'the rights deny it' : 'an entry is not present';
}
