/** What the processor does, and statements of the script. */
import type { PROCESSOR_EVENTS } from '../../engine/journal/definitions/processor';
import type { SCRIPT_EVENTS } from '../../engine/journal/definitions/script';
import { FLUSH_SCOPE, FlushScope, Structure } from '../../engine/journal/enumerations';
import { STAGE_GUEST, STAGE_SECOND, STAGE_SHADOW } from '../../engine/journal/events';
import type { Program } from '../../engine/program';
import type { EntryKind } from '../../engine/x86/entries';
import { accessText, levelName, pageFault, valueName } from '../decode';
import { entryText } from '../entry-text';
import type { EventOf } from '../fields';
import { nested } from '../guests';
import { registerName } from '../registers';
import { hex, joined } from '../wording';
import { nestedFault, qualification } from './codes';
import { levelText, secondName, type Words } from './words';

/** Hardware walks shadow tables above a second stage: those of a soft L1, in L1's memory. */
const shadowOfL1 = ({ machine }: Program): boolean => machine.vms[0]?.mmu !== 'soft' && nested(machine);

/** Format of the entries of a stage: of a second stage, what the vendor has. */
export function stageEntries(stage: number, { machine }: Program): EntryKind {
  return stage === STAGE_SECOND && machine.host.vendor === 'intel' ? 'ept' : 'paging';
}

/** `guest PML4`, `EPT4`, `NPT1`, `shadow PT`, `SPT12 PT`: the table whose entry the processor read. */
export function tableName({ fields: { stage }, level }: EventOf<'table_read' | 'table_write'>, program: Program): string {
  if (stage === STAGE_SECOND) return `${secondName(program)}${level}`;
  return `${stage === STAGE_GUEST ? 'guest' : shadowOfL1(program) ? 'SPT12' : 'shadow'} ${levelName(level)}`;
}

/** Names of the paging-structure caches (SDM vol. 3 "Paging-Structure Caches") by the level of their entries. */
const STRUCTURE_CACHES = ['', '', 'PDE', 'PDPTE', 'PML4', 'PML5'];

/** `L1 0x40_0123 → hpa 0x120_0123`, `PDE cache 0x40_0123 → table 0x4000`. */
function cachedTranslation({ fields: { structure, address, hpa }, level }: EventOf<'tlb_hit'>, program: Program): string {
  const reached = `${hex(address)} →`;
  switch (structure as Structure) {
    case Structure.pagingStructure:
      return `${STRUCTURE_CACHES[level] ?? ''} cache ${reached} table at ${hex(hpa)}`;
    case Structure.secondStructure:
      return `${secondName(program)}${level} cache gpa ${reached} table at hpa ${hex(hpa)}`;
    case Structure.guestPhysical:
      return `gpa ${reached} hpa ${hex(hpa)}`;
    default:
      return `${valueName('structure', structure)} ${reached} hpa ${hex(hpa)}`;
  }
}

/** `shadow PT entry 0x5067 (P R/W U/S A D) at hpa 0x10_2010` */
function tableEntry(event: EventOf<'table_read' | 'table_write'>, program: Program): string {
  const { stage, address, entry } = event.fields;
  const guest = stage === STAGE_GUEST || (stage === STAGE_SHADOW && shadowOfL1(program));
  const said = entryText(stageEntries(stage, program), event.level, entry);
  return `${tableName(event, program)} entry ${said} at ${guest ? 'gpa' : 'hpa'} ${hex(address)}`;
}

export const SCRIPT_WORDS: Words<keyof typeof SCRIPT_EVENTS> = {
  continued: ({ fields: { row } }) => `the event of row ${row} goes on`,
  statement: ({ fields: { statement, act } }) => `statement ${statement}, act ${act}`,
};

export const PROCESSOR_WORDS: Words<keyof typeof PROCESSOR_EVENTS> = {
  access: ({ fields: { access, address } }) => `${accessText(access)} ${hex(address)}`,
  physical_access: ({ fields: { access, gpa } }) => `${accessText(access).split(' ').at(-1)} gpa ${hex(gpa)}`,
  register_load: ({ fields: { register, value } }) => `${registerName(register)} = ${hex(value)}`,
  table_read: tableEntry,
  table_write: tableEntry,
  translated: ({ fields: { address, hpa } }) => `${hex(address)} → hpa ${hex(hpa)}`,
  value: ({ fields: { access, value, hpa } }) => `${accessText(access).split(' ').at(-1)} ${hex(value)} at hpa ${hex(hpa)}`,
  guest_fault: ({ fields: { vector, error, address } }) => {
    const name = valueName('vector', vector);
    return name === '#PF' ? `${pageFault(error)}, cr2 ${hex(address)}` : name;
  },
  tlb_hit: cachedTranslation,
  // A translation is put into both, but pages of 1G into L1 alone.
  tlb_fill: ({ fields: { address, hpa }, level }) => {
    const size = ['', '', ' · page of 2M', ' · page of 1G'][level] ?? '';
    return `${level < 3 ? 'L1, L2' : 'L1'} ${hex(address)} → hpa ${hex(hpa)}${size}`;
  },
  tlb_flush: ({ fields: { scope, address } }) =>
    joined(FLUSH_SCOPE[scope as FlushScope]?.name ?? `scope ${scope}`, scope === (FlushScope.page as number) && hex(address)),
  ept_violation: ({ fields }) => `gpa ${hex(fields.gpa)}, ${qualification(fields.qualification)}`,
  ept_misconfig: (event) => joined(`gpa ${hex(event.fields.gpa)}`, levelText(event), `entry ${hex(event.fields.entry)}`),
  nested_page_fault: ({ fields: { gpa, exitinfo1 } }) => `gpa ${hex(gpa)}, ${nestedFault(exitinfo1)}`,
  pml_log: ({ fields: { gpa, index } }) => `gpa ${hex(gpa)} into entry ${index}`,
  stale: ({ fields: { address, entry } }) => `${hex(address)}: the entry in memory is ${hex(entry)} now`,
};
