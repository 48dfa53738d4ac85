/**
 * The second stage of a nested guest as L0's software walks it (mmu.c: translate_nested_gpa): addresses of L2's own tables,
 * and what they lead to, go through L1's EPT or nested tables, and those through L0's slots.
 */
import { ACCESS_READ, ACCESS_USER, ACCESS_WRITE } from '../../journal/events';
import { FRAME_LOW } from '../../x86/entries';
import { Access, HOST_ALL, Rights } from '../../x86/permissions';
import { Walk, type Stage } from '../../x86/stage';
import type { Walker } from '../../x86/walker';

export class NestedStage implements Stage {
  /** Walks of tables count as writes, whether or not L1's tables have accessed and dirty flags. */
  readonly tableAccess = ACCESS_WRITE | Access.table;
  /** L1's guest-physical address. */
  outLo = 0;
  outHi = 0;
  hostLo = 0;
  hostHi = 0;
  hostRights = 0;

  /**
   * @param walker of L1's tables for L2, by software
   * @param slots L0's memory behind L1's guest-physical addresses
   */
  constructor(
    readonly walker: Walker,
    private readonly slots: Stage,
  ) {}

  translate(lo: number, hi: number, access: number): number {
    const { walker, slots } = this;
    const status = walker.translate(lo & FRAME_LOW, hi, (access & ~Access.table) | ACCESS_USER);
    if (status !== Walk.ok) return status;
    this.outLo = walker.outLo | (lo & 0xfff);
    this.outHi = walker.outHi;
    this.hostRights = HOST_ALL | Rights.dirty;
    if ((access & Access.table) === 0) {
      this.hostLo = this.outLo;
      this.hostHi = this.outHi;
      return Walk.ok;
    }
    const found = slots.translate(this.outLo, this.outHi, ACCESS_READ | Access.table);
    this.hostLo = slots.hostLo;
    this.hostHi = slots.hostHi;
    this.hostRights = slots.hostRights;
    return found;
  }
}
