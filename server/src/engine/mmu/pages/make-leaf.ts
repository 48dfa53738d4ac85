/** How a leaf entry is made (§5.5; spte.c: make_spte). */
import type { Slot } from '../../memory/slots';
import type { Kvm } from './kvm';
import { Acc, Role } from './role';
import type { ShadowPage } from './shadow-page';
import type { Spte } from './spte';
import { tryToUnsync } from './unsync';

interface NewLeaf {
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

/** A leaf entry, and whether it had to stay write-protected because its frame holds a shadowed guest table. */
interface MadeLeaf {
  readonly spte: Spte;
  readonly refused: boolean;
}

/** make_spte */
export function makeLeaf(kvm: Kvm, leaf: NewLeaf): MadeLeaf {
  const { format } = kvm;
  const { page, slot, access, gfn, pfn, prefetch, hostWritable } = leaf;
  const wanted = (access & Acc.write) !== 0 && hostWritable;
  // A leaf that was writable needs no second look at the frame; an entry that pointed to a table was none.
  const wasWritable = format.last(leaf.oldLo, page.level) && format.writable(leaf.oldLo);
  const refused = wanted && !wasWritable && tryToUnsync(kvm, gfn, leaf.canUnsync, prefetch);
  const writable = wanted && !refused;
  const spte = format.leaf({
    access,
    pfn,
    level: page.level,
    hostWritable,
    writable,
    dirty: writable && !wasWritable,
    accessed: !prefetch,
    tracked: prefetch,
    adDisabled: (page.role & Role.adDisabled) !== 0,
    guestMode: (page.role & Role.guestMode) !== 0,
  });
  if (format.writable(spte.lo)) kvm.markPageDirty(slot, gfn);
  return { spte, refused };
}
