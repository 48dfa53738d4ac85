/**
 * A hypervisor's slots as what stands behind a software walk of its guest's tables (§5.3; kvm_main.c: gfn_to_hva_prot):
 * guest-physical addresses of entries become addresses of the memory that is read.
 */
import { high, join, low } from '../../bits';
import { ACCESS_READ } from '../../journal/events';
import { Pfn } from '../../memory/guest-memory';
import { Access, HOST_ALL, Rights } from '../../x86/permissions';
import { Walk, type Stage } from '../../x86/stage';
import type { Kvm } from '../pages/kvm';

export class MemslotStage implements Stage {
  readonly tableAccess = ACCESS_READ | Access.table;
  outLo = 0;
  outHi = 0;
  hostLo = 0;
  hostHi = 0;
  hostRights = 0;

  /**
   * @param silent looks only: no host page is made
   * @param outside it is not the hypervisor that reads: where it runs in a guest, that costs nothing
   */
  constructor(
    private readonly kvm: Kvm,
    private readonly silent = false,
    private readonly outside = silent,
  ) {}

  translate(lo: number, hi: number, access: number): number {
    this.outLo = lo;
    this.outHi = hi;
    this.hostRights = HOST_ALL | Rights.dirty;
    if ((access & Access.table) === 0) return Walk.ok;
    const { guest, tables } = this.kvm;
    const gpa = join(lo, hi);
    if (this.silent) {
      const address = guest.look(gpa);
      return this.found(address < 0 ? -1 : tables.look(address));
    }
    const { outcome, mapWritable, pfn } = guest.follow(Math.floor(gpa / 4096), false);
    if (outcome !== Pfn.ok) return Walk.absent;
    if (!mapWritable) this.hostRights &= ~Rights.hostWrite;
    const address = pfn * 4096 + (gpa % 4096);
    return this.found(this.outside ? tables.look(address) : tables.reach(address));
  }

  private found(host: number): number {
    if (host < 0) return Walk.absent;
    this.hostLo = low(host);
    this.hostHi = high(host);
    return Walk.ok;
  }
}
