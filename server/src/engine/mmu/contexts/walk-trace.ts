/** KVM's events of its software walker (mmutrace.h: kvm_mmu_pagetable_walk and those after it). */
import { emit } from '../../journal/emit';
import type { Journal } from '../../journal/journal';
import type { WalkListener } from '../../x86/stage';

export class WalkTrace implements WalkListener {
  constructor(private readonly journal: Journal) {}

  begins(stage: number, lo: number, hi: number, errorCode: number): void {
    emit(this.journal, 'kvm_mmu_pagetable_walk', { addr: { lo, hi }, pferr: errorCode, stage });
  }

  reads(stage: number, level: number, entryLo: number, entryHi: number, addressLo: number, addressHi: number): void {
    const pte = { lo: entryLo, hi: entryHi };
    emit(this.journal, 'kvm_mmu_paging_element', { pte, gpa: { lo: addressLo, hi: addressHi }, stage, level });
  }

  setsAccessed(level: number, addressLo: number, addressHi: number): void {
    emit(this.journal, 'kvm_mmu_set_accessed_bit', { gpa: { lo: addressLo, hi: addressHi }, level });
  }

  setsDirty(level: number, addressLo: number, addressHi: number): void {
    emit(this.journal, 'kvm_mmu_set_dirty_bit', { gpa: { lo: addressLo, hi: addressHi }, level });
  }

  fails(stage: number, errorCode: number): void {
    emit(this.journal, 'kvm_mmu_walker_error', { pferr: errorCode, stage });
  }
}
