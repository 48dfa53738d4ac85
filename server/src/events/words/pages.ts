/** Shadow pages, write tracking, roots, flushes. */
import type { PAGE_EVENTS } from '../../engine/journal/definitions/pages';
import { LocalFlush } from '../../engine/journal/enumerations';
import { Actor } from '../../engine/journal/events';
import { valueName } from '../decode';
import type { Event } from '../fields';
import { roleWords, shadowPageOf, type PageEvent } from '../page-role';
import { hex, joined, plural } from '../wording';
import { gfnText, levelText, type Words } from './words';

function shadowPage(event: PageEvent): string {
  const page = shadowPageOf(event);
  return joined(
    gfnText(event),
    ...roleWords(page),
    page.unsync && 'unsync',
    page.rootCount > 0 && `root ${page.rootCount}`,
    page.gen > 0 && `gen ${page.gen}`,
  );
}

/** What a table of this space is called in: the memory of the hypervisor that made it. */
const tableSpace = ({ actor }: Event): string => (actor === Actor.L1 ? 'gpa' : 'hpa');

export const PAGE_WORDS: Words<keyof typeof PAGE_EVENTS> = {
  kvm_mmu_get_page: (event) => joined(valueName('created', event.fields.created), shadowPage(event)),
  kvm_mmu_sync_page: shadowPage,
  kvm_mmu_unsync_page: shadowPage,
  kvm_mmu_prepare_zap_page: shadowPage,
  kvm_mmu_free_shadow_page: shadowPage,
  kvm_sync_page: shadowPage,
  clear_sp_write_flooding_count: shadowPage,
  mmu_free_root_page: shadowPage,
  kvm_mmu_change_mmu_pages: ({ fields: { pages } }) => `${plural(Number(pages), 'shadow page')} at most`,
  kvm_mmu_zap_all_fast: ({ fields: { valid_gen, used_pages } }) => `generation ${valid_gen} is over, ${used_pages} pages in use`,
  kvm_page_track_add: gfnText,
  kvm_page_track_remove: gfnText,
  kvm_mmu_pte_write: ({ fields }) => `gpa ${hex(fields.gpa)} = ${hex(fields.new)}`,
  kvm_x86_flush_tlb: ({ fields: { scope, gva } }) => joined(valueName('local_flush', scope), scope === LocalFlush.gva && hex(gva)),
  kvm_flush_remote_tlbs: (event) => {
    const { pages } = event.fields;
    return pages === 0n ? 'all' : `${plural(Number(pages), 'page')} from ${gfnText(event)}`;
  },
  kvm_load_root: (event) => {
    const { root, pgd } = event.fields;
    return joined(`table at ${tableSpace(event)} ${hex(root)}`, levelText(event), pgd !== 0n && `for root ${hex(pgd)}`);
  },
};
