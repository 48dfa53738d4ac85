/**
 * A hypervisor's slots as what stands behind a software walk of its guest's tables (§5.3; kvm_main.c: gfn_to_hva_prot):
 * guest-physical addresses of entries become addresses of the memory that is read.
 */
import { high, join, low } from '../bits';
import { ACCESS_READ } from '../journal/events';
import { Pfn, type GuestMemory } from '../memory/guest-memory';
import { Access, HOST_ALL, Rights } from '../x86/permissions';
import { Walk, type Stage } from '../x86/walk';

export class MemslotStage implements Stage {
  readonly tableAccess = ACCESS_READ | Access.table;
  outLo = 0;
  outHi = 0;
  hostLo = 0;
  hostHi = 0;
  hostRights = 0;

  /** @param silent looks only: no host page is made */
  constructor(
    private readonly guest: () => GuestMemory,
    private readonly silent = false,
  ) {}

  translate(lo: number, hi: number, access: number): number {
    this.outLo = lo;
    this.outHi = hi;
    this.hostRights = HOST_ALL | Rights.dirty;
    if ((access & Access.table) === 0) return Walk.ok;
    const guest = this.guest();
    const gpa = join(lo, hi);
    if (this.silent) return this.found(guest.look(gpa));
    if (guest.follow(Math.floor(gpa / 4096), false) !== Pfn.ok) return Walk.absent;
    const host = guest.pfn * 4096 + (gpa % 4096);
    if (!guest.mapWritable) this.hostRights &= ~Rights.hostWrite;
    return this.found(host);
  }

  private found(host: number): number {
    if (host < 0) return Walk.absent;
    this.hostLo = low(host);
    this.hostHi = high(host);
    return Walk.ok;
  }
}
