/** MMIO and emulation. */
import type { MMIO_EVENTS } from '../../engine/journal/definitions/mmio';
import { instructionBytes, valueName } from '../decode';
import { hex, joined } from '../wording';
import { gfnText, type Words } from './words';

export const MMIO_WORDS: Words<keyof typeof MMIO_EVENTS> = {
  mark_mmio_spte: (event) => joined(gfnText(event), `spte ${hex(event.fields.spte)}`, `generation ${event.fields.gen}`),
  check_mmio_spte: ({ fields: { spte, spte_gen, kvm_gen, valid } }) =>
    joined(`spte ${hex(spte)}`, `generation ${spte_gen}, now ${kvm_gen}`, valid ? 'valid' : 'stale'),
  handle_mmio_page_fault: (event) => `${hex(event.fields.addr)}, ${gfnText(event)}`,
  kvm_emulate_insn: (event) => joined(`rip ${hex(event.fields.rip)}`, instructionBytes(event), event.fields.failed ? 'failed' : ''),
  vcpu_match_mmio: ({ fields: { write, gva, gpa } }) => `${write ? 'write' : 'read'} ${hex(gva)} → gpa ${hex(gpa)}`,
  kvm_mmio: ({ fields: { type, len, gpa, val } }) => `${valueName('mmio_type', type)} of ${len} at gpa ${hex(gpa)}, value ${hex(val)}`,
};
