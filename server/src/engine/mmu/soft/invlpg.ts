/** Synchronization on INVLPG (§5.6, §5.8; paging_tmpl.h: invlpg of 6.1). */
import type { MmuContext } from '../contexts/mmu-context';
import type { Root } from '../contexts/roots';
import { ShadowWalk } from '../contexts/shadow-walk';
import type { Kvm } from '../pages/kvm';
import { indexOf, type ShadowPage } from '../pages/shadow-page';
import { zapEntry } from '../pages/zap';
import { prefetchEntry } from './prefetch';
import { syncEntry } from './sync-page';

/**
 * The guest invalidates an address: in an unsync table its entry is dropped, and what the guest's entry says now is mapped
 * at once, or it is brought into step (rule invalidationSyncs). Tables in step are left alone.
 */
export function invalidateAddress(kvm: Kvm, mmu: MmuContext, root: Root, lo: number, hi: number): void {
  const { format, tables } = kvm;
  for (const walk = new ShadowWalk(kvm, lo, hi, root); walk.ok; walk.next()) {
    const page = kvm.pages.holding(walk.at);
    if (page === null) return;
    const entryLo = tables.low(walk.at);
    if (format.last(entryLo, walk.level)) {
      if (!page.unsync) return;
      kvm.trace.emit('kvm_mmu_invlpg', { address: { lo, hi }, root: root.hpa });
      if (kvm.rules.invalidationSyncs) return syncAddress(kvm, mmu, page, walk.at);
      zapEntry(kvm, page, walk.at, null);
      if (format.present(entryLo)) kvm.flushRemoteTlbs(page.gfn, 1);
      prefetchEntry(kvm, mmu, page, indexOf(walk.at), false);
    }
    if (page.unsyncChildren === 0) return;
  }
}

/** One entry into step (__kvm_mmu_invalidate_addr): what was never mapped stays so. */
function syncAddress(kvm: Kvm, mmu: MmuContext, page: ShadowPage, at: number): void {
  const result = syncEntry(kvm, mmu.walker.format, page, indexOf(at));
  if (result < 0) zapEntry(kvm, page, at, null);
  if (result !== 0) kvm.flushRemoteTlbs(page.gfn, 1);
}
