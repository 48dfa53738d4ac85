/** Everything of a VM goes at once (§5.10; mmu.c: kvm_mmu_zap_all_fast, kvm_zap_obsolete_pages). */
import type { Kvm } from './kvm';
import type { ShadowPage } from './shadow-page';
import { commitZap, prepareZap } from './zap';

/** Everything becomes obsolete and goes, new roots are built at the next entry (kvm_mmu_zap_all_fast). */
export function zapAllFast(kvm: Kvm): void {
  const { pages, trace, tdpMmu } = kvm;
  trace.emit('kvm_mmu_zap_all_fast', { valid_gen: pages.validGeneration, used_pages: pages.used });
  pages.flipGeneration();
  tdpMmu?.invalidateRoots();
  kvm.freeObsoleteRoots();
  const invalid: ShadowPage[] = [];
  for (const page of [...pages.active]) {
    if (!page.invalid && pages.obsolete(page)) prepareZap(kvm, page, invalid);
  }
  commitZap(kvm, invalid);
  tdpMmu?.zapInvalidRoots();
}
