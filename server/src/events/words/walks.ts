/** Software walks. */
import type { WALK_EVENTS } from '../../engine/journal/definitions/walks';
import { STAGE_SECOND } from '../../engine/journal/events';
import { PageFault } from '../../engine/x86/fault-codes';
import { errorCode, levelName, pageFault } from '../decode';
import { entryText } from '../entry-text';
import { hex, joined } from '../wording';
import { flags } from './codes';
import { stageEntries } from './processor';
import { secondName, type Words } from './words';

/** A software walk of L1's EPT or nested tables for L2. */
const ofL1 = ({ fields: { stage } }: { readonly fields: { readonly stage: number } }): boolean => stage === STAGE_SECOND;

function walkerError(code: number): string {
  if ((code & PageFault.reserved) !== 0) return 'a reserved bit is set';
  return (code & PageFault.present) !== 0 ? 'the rights deny it' : 'an entry is not present';
}

export const WALK_WORDS: Words<keyof typeof WALK_EVENTS> = {
  kvm_mmu_pagetable_walk: (event, program) =>
    joined(`walk ${hex(event.fields.addr)}${ofL1(event) ? ` in L1's ${secondName(program)}` : ''}`, errorCode(event.fields.pferr)),
  kvm_mmu_paging_element: (event, program) => {
    const { pte, gpa, stage } = event.fields;
    const name = ofL1(event) ? `${secondName(program)}${event.level}` : levelName(event.level);
    return `${name} entry ${entryText(stageEntries(stage, program), event.level, pte)} at gpa ${hex(gpa)}`;
  },
  kvm_mmu_set_accessed_bit: ({ fields: { gpa } }) => `A in the entry at gpa ${hex(gpa)}`,
  kvm_mmu_set_dirty_bit: ({ fields: { gpa } }) => `D in the entry at gpa ${hex(gpa)}`,
  kvm_mmu_walker_error: (event) =>
    `${ofL1(event) ? flags(event.fields.pferr) : pageFault(event.fields.pferr)}: ${walkerError(event.fields.pferr)}`,
};
