/** Entries of guest tables as a shadow of level 1 mirrors them (paging_tmpl.h: prefetch_invalid_gpte, get_level1_sp_gpa). */
import { FRAME_HIGH, FRAME_LOW, NX_HIGH, Pte } from '../../x86/entries';
import { LEAF, type Format } from '../../x86/formats';
import { join } from '../../bits';
import type { Kvm } from '../pages/kvm';
import { Acc } from '../pages/role';
import type { ShadowPage } from '../pages/shadow-page';

export class GuestEntry {
  lo = 0;
  hi = 0;

  constructor(private readonly kvm: Kvm) {}

  /** Read the guest entry that an entry of a level-1 shadow mirrors. @returns false: no memory is there */
  readMirrored(format: Format, page: ShadowPage, index: number): boolean {
    const size = format.narrow ? 4 : 8;
    const first = format.narrow ? page.quadrant * 512 : 0;
    return this.read(format, page.gfn * 4096 + (first + index) * size);
  }

  /** Read the guest entry at a guest-physical address. */
  read(format: Format, gpa: number): boolean {
    const address = this.kvm.guest.address(gpa, false);
    if (address < 0) return false;
    const { tables } = this.kvm;
    const upper = format.narrow && (gpa & 4) !== 0;
    this.lo = upper ? tables.high(address - 4) : tables.low(address);
    this.hi = format.narrow ? 0 : tables.high(address);
    return true;
  }

  /** Present, well-formed and, where the format has the flag, accessed: it may be mapped without a fault. */
  usable(format: Format): boolean {
    const { lo, hi } = this;
    if ((lo & format.present) === 0 || (lo & format.accessed) !== format.accessed) return false;
    if ((lo & format.reservedLo[1 + LEAF]) !== 0 || (hi & format.reservedHi[1 + LEAF]) !== 0) return false;
    return ((format.badRights >>> (lo & 7)) & 1) === 0 && !(format.ept && ((format.badTypes >>> ((lo >>> 3) & 7)) & 1) !== 0);
  }

  get gfn(): number {
    return join(this.lo & FRAME_LOW, this.hi & FRAME_HIGH) / 4096;
  }

  /** Rights of the entry alone, W only when it is dirty (gpte_access, protect_clean_gpte). */
  access(format: Format): number {
    const { lo, hi } = this;
    const clean = (lo & format.dirty) !== format.dirty;
    const write = (lo & Pte.writable) !== 0 && !clean ? Acc.write : 0;
    if (format.ept) return write | ((lo & 1) !== 0 ? Acc.user : 0) | ((lo & 4) !== 0 ? Acc.exec : 0);
    return write | ((lo & Pte.user) !== 0 ? Acc.user : 0) | ((hi & NX_HIGH) === 0 ? Acc.exec : 0);
  }
}
