/** How a leaf entry is made (§5.5; spte.c: make_spte). */
import type { Slot } from '../../memory/slots';
import type { Kvm } from './kvm';
import { Acc, Role } from './role';
import type { ShadowPage } from './shadow-page';
import { tryToUnsync } from './unsync';

export interface NewLeaf {
  readonly page: ShadowPage;
  readonly slot: Slot | null;
  readonly access: number;
  readonly gfn: number;
  readonly pfn: number;
  /** The entry that stands there now. */
  readonly oldLo: number;
  /** Not asked for by the guest: not marked as used, and no table becomes unsync for it. */
  readonly prefetch: boolean;
  /** False while synchronizing: then no table may become unsync. */
  readonly canUnsync: boolean;
  readonly hostWritable: boolean;
}

/**
 * The entry for a leaf, left in `kvm.format` (make_spte).
 *
 * @returns whether it had to stay write-protected because its frame holds a shadowed guest table
 */
export function makeLeaf(kvm: Kvm, leaf: NewLeaf): boolean {
  const { format } = kvm;
  const { page, slot, gfn, prefetch } = leaf;
  const adDisabled = (page.role & Role.adDisabled) !== 0;
  const guestMode = (page.role & Role.guestMode) !== 0;
  const { access, pfn, hostWritable } = leaf;
  format.leaf({ access, pfn, level: page.level, hostWritable, prefetch, adDisabled, guestMode });
  let refused = false;
  if ((access & Acc.write) !== 0 && hostWritable) {
    // An entry that was writable needs no second look at the frame.
    const wasWritable = format.writable(leaf.oldLo);
    refused = !wasWritable && tryToUnsync(kvm, gfn, leaf.canUnsync, prefetch);
    if (!refused) format.addWritable();
    if (!refused && (!wasWritable || kvm.rules.writableMeansDirty)) format.addDirty();
  }
  if (prefetch && (leaf.canUnsync || !kvm.rules.syncMarksAccessed)) format.withoutAccessed();
  if (format.writable(format.lo) && slot !== null && slot.dirtyLog !== null) slot.dirtyLog.mark(gfn - slot.gfn);
  return refused;
}
