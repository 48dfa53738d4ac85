/**
 * A VM's physical memory as its hypervisor sees it: slots in front of the VMM's virtual memory (§4.3, §4.5). The one way
 * from a guest frame to a frame of the level below, for faults and for the hypervisor's own accesses.
 */
import { PAGE_SIZE } from '../bits';
import type { HostMemory } from './host-memory';
import { Follow } from './host-memory';
import type { Slot, Slots } from './slots';

/** What looking for a guest frame's page comes to (kvm_mmu_faultin_pfn). */
export enum Pfn {
  ok = 0,
  /** No slot: emulated MMIO. */
  mmio = 1,
  /** The slot is going away: try again. */
  invalid = 2,
  /** A write to a READONLY slot: emulate (KVM_PFN_ERR_RO_FAULT). */
  readonly = 3,
  /** The VMM has no such memory or no right to it: KVM_RUN fails with EFAULT. */
  fault = 4,
  /** No host frame left. */
  noMemory = 5,
}

/** A guest frame's slot, and with {@link Pfn.ok} its page. */
interface Followed {
  readonly outcome: Pfn;
  readonly slot: Slot | null;
  readonly pfn: number;
  /** A writable spte may be made: the slot is not READONLY and the host's page is writable now. */
  readonly mapWritable: boolean;
  /** Largest level at which host page and slot allow a mapping (§4.6 conditions 1 and 2). */
  readonly hostLevel: number;
}

export class GuestMemory {
  constructor(
    readonly slots: Slots,
    readonly host: HostMemory,
  ) {}

  /** gfn → pfn for a fault. When `host.invalidations` differs afterwards, a page was replaced meanwhile: retry. */
  follow(gfn: number, write: boolean, addressSpace = 0): Followed {
    const slot = this.slots.find(gfn, addressSpace);
    const none = (outcome: Pfn): Followed => ({ outcome, slot, pfn: 0, mapWritable: false, hostLevel: 1 });
    if (slot === null) return none(Pfn.mmio);
    if (slot.invalid) return none(Pfn.invalid);
    if (write && slot.readonly) return none(Pfn.readonly);
    const { host } = this;
    const outcome = host.follow(slot.hvaOf(gfn), write);
    if (outcome !== Follow.ok) return none(outcome === Follow.fault ? Pfn.fault : Pfn.noMemory);
    let { level } = host;
    while (level > 1 && !slot.fits(gfn, level)) level--;
    return { outcome: Pfn.ok, slot, pfn: host.frame, mapWritable: host.writable && !slot.readonly, hostLevel: level };
  }

  /**
   * Physical address, one level down, of guest memory for an access of the hypervisor itself (kvm_read_guest,
   * kvm_write_guest); -1 when there is none, or it must not be written.
   */
  address(gpa: number, write: boolean): number {
    const slot = this.slots.find(Math.floor(gpa / PAGE_SIZE));
    if (slot === null || slot.invalid || (write && slot.readonly)) return -1;
    const hva = slot.hva + gpa - slot.gfn * PAGE_SIZE;
    return this.host.follow(hva, write) === Follow.ok ? this.host.frame * PAGE_SIZE + (gpa % PAGE_SIZE) : -1;
  }

  /** As {@link address} for reading, without making a page: for inspection. */
  look(gpa: number): number {
    const slot = this.slots.find(Math.floor(gpa / PAGE_SIZE));
    if (slot === null || slot.invalid || !this.host.look(slot.hva + gpa - slot.gfn * PAGE_SIZE)) return -1;
    return this.host.frame * PAGE_SIZE + (gpa % PAGE_SIZE);
  }

  /** The VMM's virtual address of a guest-physical one; -1 in no slot. */
  hva(gpa: number): number {
    const slot = this.slots.find(Math.floor(gpa / PAGE_SIZE));
    return slot === null || slot.invalid ? -1 : slot.hva + gpa - slot.gfn * PAGE_SIZE;
  }

  /** Mark a frame in its slot's dirty log, when there is one (mark_page_dirty). */
  markDirty(gfn: number, addressSpace = 0): void {
    const slot = this.slots.find(gfn, addressSpace);
    slot?.dirtyLog?.mark(gfn - slot.gfn);
  }
}
