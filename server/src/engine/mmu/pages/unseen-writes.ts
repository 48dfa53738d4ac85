/**
 * Changes of guest tables that no KVM sees: the host takes pages back, or user space writes to them. What is shadowed of such a
 * table is stale by KVM's own rules, and no check may take it for a fault.
 */
import { PAGE_SIZE } from '../../bits';
import type { Kvm } from './kvm';

/** Memory of a VM's user space at [hva, hva + size) has changed so; tables that a KVM in the guest shadows may lie there too. */
export function changedUnseen(kvm: Kvm, hva: number, size: number): void {
  for (const slot of kvm.guest.slots.all()) {
    const first = Math.max(hva, slot.hva);
    const end = Math.min(hva + size, slot.hva + slot.pages * PAGE_SIZE);
    if (first >= end) continue;
    const gpa = slot.gfn * PAGE_SIZE + first - slot.hva;
    note(kvm, Math.floor(gpa / PAGE_SIZE), Math.ceil((gpa + end - first) / PAGE_SIZE));
    // An L1's guest-physical addresses are the virtual ones of its VMM.
    for (const inside of kvm.inside) changedUnseen(inside, gpa, end - first);
  }
}

/** Tables of the guest among frames [first, end). */
function note({ pages, unseenWrites }: Kvm, first: number, end: number): void {
  if (end - first < pages.used) {
    for (let gfn = first; gfn < end; gfn++) if (pages.mirrors(gfn).length > 0) unseenWrites.add(gfn);
    return;
  }
  for (const { gfn, hasGuestEntries } of pages.all()) if (hasGuestEntries && gfn >= first && gfn < end) unseenWrites.add(gfn);
}
