/** KVM's events of its software walker (mmutrace.h: kvm_mmu_pagetable_walk and those after it). */
import { Kind, STAGE_SECOND } from '../../journal/events';
import type { Journal } from '../../journal/journal';
import type { WalkListener } from '../../x86/stage';

export class WalkTrace implements WalkListener {
  constructor(private readonly journal: Journal) {}

  begins(stage: number, lo: number, hi: number, errorCode: number): void {
    this.journal.row(Kind.kvm_mmu_pagetable_walk, 0, 0, lo, hi, errorCode, 0);
    this.noteStage(stage);
  }

  reads(stage: number, level: number, entryLo: number, entryHi: number, addressLo: number, addressHi: number): void {
    this.journal.row(Kind.kvm_mmu_paging_element, level, 0, entryLo, entryHi, addressLo, addressHi);
    this.noteStage(stage);
  }

  setsAccessed(level: number, addressLo: number, addressHi: number): void {
    this.journal.row(Kind.kvm_mmu_set_accessed_bit, level, 0, addressLo, addressHi, 0, 0);
  }

  setsDirty(level: number, addressLo: number, addressHi: number): void {
    this.journal.row(Kind.kvm_mmu_set_dirty_bit, level, 0, addressLo, addressHi, 0, 0);
  }

  fails(stage: number, errorCode: number): void {
    this.journal.row(Kind.kvm_mmu_walker_error, 0, 0, errorCode, 0, stage, 0);
  }

  /** A walk of a second stage says so. */
  private noteStage(stage: number): void {
    if (stage === STAGE_SECOND) this.journal.row(Kind.more, 0, 0, STAGE_SECOND, 0, 0, 0);
  }
}
