/** Entries that a hypervisor makes and changes. */
import type { SPTE_EVENTS } from '../../engine/journal/definitions/sptes';
import { RetPf } from '../../engine/journal/enumerations';
import type { Program } from '../../engine/program';
import { entryText, spteFormat, spteNote } from '../entry-text';
import type { Event } from '../fields';
import { hex, joined } from '../wording';
import { gfnText, hostEntries, levelText, type Words } from './words';

/** An entry that the hypervisor made: `0x5b77 (R W X …)`, `0x200_0026 (MMIO, generation 4)`. */
function spteText(event: Event, value: bigint, program: Program): string {
  const kind = hostEntries(event, program);
  const note = spteNote(spteFormat(program.machine.host, kind === 'ept'), value);
  return note ? `${hex(value)} (${note})` : entryText(kind, event.level, value);
}

/** KVM_PFN_NOSLOT */
const NO_SLOT = 1n << 63n;

export const SPTE_WORDS: Words<keyof typeof SPTE_EVENTS> = {
  kvm_mmu_spte_requested: (event) => {
    const { pfn } = event.fields;
    return joined(`${gfnText(event)} → ${pfn === NO_SLOT ? 'no slot' : `pfn ${hex(pfn)}`}`, levelText(event));
  },
  kvm_mmu_set_spte: (event, program) => joined(`${gfnText(event)} → ${spteText(event, event.fields.spte, program)}`, levelText(event)),
  link_shadow_page: (event) => joined(`spte ${hex(event.fields.spte)} → table of ${gfnText(event)}`, levelText(event)),
  drop_spte: (event) => joined(`${gfnText(event)}: spte ${hex(event.fields.spte)} goes`, levelText(event)),
  kvm_zap_rmap: (event) => joined(`sptes of ${gfnText(event)} go`, event.level > 1 && levelText(event)),
  rmap_clear_dirty: (event) => `sptes of ${gfnText(event)} lose D`,
  kvm_mmu_invlpg: ({ fields: { address } }) => hex(address),
  kvm_tdp_mmu_spte_changed: (event, program) => {
    const { old_spte, new_spte } = event.fields;
    return joined(`${gfnText(event)}: ${hex(old_spte)} → ${spteText(event, new_spte, program)}`, levelText(event));
  },
  tdp_mmu_zap_spte_atomic: (event) => joined(`${gfnText(event)}: spte ${hex(event.fields.spte)} goes`, levelText(event)),
  kvm_mmu_split_huge_page: (event) => joined(gfnText(event), `spte ${hex(event.fields.spte)}`, levelText(event)),
  fast_page_fault: ({ fields }) => {
    const came =
      fields.result === (RetPf.spurious as number)
        ? 'spurious'
        : fields.result === (RetPf.fixed as number)
          ? `fixed: ${hex(fields.old)} → ${hex(fields.new)}`
          : 'refused';
    return joined(hex(fields.address), came);
  },
  rmap_write_protect: (event) =>
    joined(`sptes of ${gfnText(event)} lose W${event.fields.shadow ? ' and MMU-W' : ''}`, event.level > 1 && levelText(event)),
  kvm_set_spte_hva: ({ fields: { hva } }) => `hva ${hex(hva)}`,
  kvm_unmap_hva_range: ({ fields: { start, end } }) => `hva ${hex(start)} .. ${hex(end)}`,
};
