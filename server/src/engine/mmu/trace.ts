/**
 * The hypervisor's rows in the journal (§8.1), one method an event: the one place that lays their fields out. Addresses are
 * numbers below 2^53 where they are physical, halves where they are linear.
 */
import { high, low } from '../bits';
import { Kind } from '../journal/events';
import type { Journal } from '../journal/journal';

/** What the page-fault handler returns (mmu_internal.h: RET_PF_* of 6.1). */
export enum RetPf {
  continue = 0,
  retry = 1,
  emulate = 2,
  invalid = 3,
  fixed = 4,
  spurious = 5,
  /** A negative errno: KVM_RUN fails. */
  error = 6,
}

/** type of a kvm_mmio event. */
export enum MmioType {
  unsatisfiedRead = 0,
  read = 1,
  write = 2,
}

/** Numbers of KVM_EXIT_*. */
export enum UserExit {
  mmio = 6,
  shutdown = 8,
  internalError = 17,
}

/** Interruption information of a #PF with error code: valid, exception, vector 14. */
export const INTR_INFO_PF = 0x80000b0e | 0;

export class Trace {
  constructor(readonly journal: Journal) {}

  entry(vcpu: number, rip: number, intrInfo: number, errorCode: number, guestMode: boolean): void {
    this.journal.row(Kind.kvm_entry, 0, vcpu, low(rip), high(rip), intrInfo, errorCode);
    if (guestMode) this.journal.row(Kind.more, 0, 0, 1, 0, 0, 0);
  }

  exit(kind: Kind.kvm_exit | Kind.kvm_nested_vmexit, reason: number, exit: ExitInfo, rip: number, vcpu: number, guestMode: boolean): void {
    this.four(kind, 0, reason, exit.info1Lo, exit.info1Hi, exit.info2Lo, exit.info2Hi, exit.intrInfo, exit.errorCode, low(rip), high(rip));
    this.journal.row(Kind.more, 0, 0, vcpu, 0, guestMode ? 1 : 0, 0);
  }

  pageFault(vcpu: number, addressLo: number, addressHi: number, codeLo: number, codeHi: number): void {
    this.journal.row(Kind.kvm_page_fault, 0, vcpu, addressLo, addressHi, codeLo, codeHi);
  }

  pageFaultReturn(result: RetPf, addressLo: number, addressHi: number, codeLo: number, codeHi: number): void {
    this.journal.row(Kind.kvm_mmu_page_fault_return, 0, result, addressLo, addressHi, codeLo, codeHi);
  }

  injectPageFault(errorCode: number, cr2Lo: number, cr2Hi: number): void {
    this.journal.row(Kind.kvm_inj_exception, 0, 14, errorCode, 0, cr2Lo, cr2Hi);
  }

  /** @param vector 13 (#GP) */
  injectException(vector: number, errorCode: number): void {
    this.journal.row(Kind.kvm_inj_exception, 0, vector, errorCode, 0, 0, 0);
  }

  cr(number: number, valueLo: number, valueHi: number, write = true): void {
    this.journal.row(Kind.kvm_cr, 0, number, valueLo, valueHi, write ? 1 : 0, 0);
  }

  msr(number: number, valueLo: number, valueHi: number): void {
    this.journal.row(Kind.kvm_msr, 0, 0, number, 0, valueLo, valueHi);
  }

  spteRequested(gfn: number, pfnLo: number, pfnHi: number, level: number): void {
    this.journal.row(Kind.kvm_mmu_spte_requested, level, 0, low(gfn), high(gfn), pfnLo, pfnHi);
  }

  setSpte(gfn: number, level: number, lo: number, hi: number, at: number): void {
    this.journal.row(Kind.kvm_mmu_set_spte, level, 0, low(gfn), high(gfn), lo, hi);
    this.journal.row(Kind.more, 0, 0, low(at), high(at), 0, 0);
  }

  tdpChanged(gfn: number, level: number, oldLo: number, oldHi: number, newLo: number, newHi: number): void {
    this.journal.row(Kind.kvm_tdp_mmu_spte_changed, level, 0, low(gfn), high(gfn), oldLo, oldHi);
    this.journal.row(Kind.more, 0, 0, newLo, newHi, 0, 0);
  }

  markMmio(gfn: number, access: number, generation: number, lo: number, hi: number, at: number): void {
    this.four(Kind.mark_mmio_spte, 0, access, low(gfn), high(gfn), lo, hi, generation, 0, low(at), high(at));
  }

  checkMmio(lo: number, hi: number, kvmGeneration: number, spteGeneration: number): void {
    this.journal.row(Kind.check_mmio_spte, 0, kvmGeneration === spteGeneration ? 1 : 0, lo, hi, kvmGeneration, 0);
    this.journal.row(Kind.more, 0, 0, spteGeneration, 0, 0, 0);
  }

  handleMmio(addressLo: number, addressHi: number, gfn: number, access: number): void {
    this.journal.row(Kind.handle_mmio_page_fault, 0, access, addressLo, addressHi, low(gfn), high(gfn));
  }

  fastPageFault(
    gpa: number,
    codeLo: number,
    codeHi: number,
    oldLo: number,
    oldHi: number,
    newLo: number,
    newHi: number,
    at: number,
    result: RetPf,
  ): void {
    const bits = (result === RetPf.spurious ? 1 : 0) | (result === RetPf.fixed ? 2 : 0);
    this.four(Kind.fast_page_fault, 0, bits, low(gpa), high(gpa), codeLo, codeHi, oldLo, oldHi, newLo, newHi);
    this.journal.row(Kind.more, 0, 0, low(at), high(at), 0, 0);
  }

  zapAllFast(generation: number, usedPages: number): void {
    this.journal.row(Kind.kvm_mmu_zap_all_fast, 0, 0, generation, 0, usedPages, 0);
  }

  splitHugePage(gfn: number, level: number, lo: number, hi: number): void {
    this.journal.row(Kind.kvm_mmu_split_huge_page, level, 0, low(gfn), high(gfn), lo, hi);
  }

  emulate(rip: number, code: readonly number[], failed: boolean): void {
    const half = (from: number): number => code.slice(from, from + 4).reduce((word, byte, i) => word | (byte << (i * 8)), 0);
    this.journal.row(Kind.kvm_emulate_insn, 0, (failed ? 1 : 0) | (code.length << 1), low(rip), high(rip), half(0), half(4));
  }

  matchMmio(gvaLo: number, gvaHi: number, gpa: number, write: boolean, byGpa: boolean): void {
    this.journal.row(Kind.vcpu_match_mmio, 0, (write ? 1 : 0) | (byGpa ? 2 : 0), gvaLo, gvaHi, low(gpa), high(gpa));
  }

  mmio(type: MmioType, bytes: number, gpa: number, valueLo: number, valueHi: number): void {
    this.journal.row(Kind.kvm_mmio, 0, type, low(gpa), high(gpa), valueLo, valueHi);
    this.journal.row(Kind.more, 0, 0, bytes, 0, 0, 0);
  }

  userExit(reason: UserExit, gpa: number, errno: number): void {
    this.journal.row(Kind.kvm_userspace_exit, 0, reason, low(gpa), high(gpa), errno, 0);
  }

  /**
   * @param tdp L1 uses EPT or nested paging for L2
   * @param root EPTP or nCR3; without either guest CR3
   */
  nestedEntry(tdp: boolean, rip: number, control: number, nestedRip: number, intrInfo: number, rootLo: number, rootHi: number): void {
    this.four(
      Kind.kvm_nested_vmenter,
      0,
      tdp ? 1 : 0,
      low(rip),
      high(rip),
      low(control),
      high(control),
      low(nestedRip),
      high(nestedRip),
      intrInfo,
      0,
    );
    this.journal.row(Kind.more, 0, 0, rootLo, rootHi, 0, 0);
  }

  nestedExitInjected(reason: number, exit: ExitInfo): void {
    this.journal.row(Kind.kvm_nested_vmexit_inject, 0, reason, exit.info1Lo, exit.info1Hi, exit.info2Lo, exit.info2Hi);
    this.journal.row(Kind.more, 0, 0, exit.intrInfo, exit.errorCode, 0, 0);
  }

  pmlFull(vcpu: number): void {
    this.journal.row(Kind.kvm_pml_full, 0, vcpu, 0, 0, 0, 0);
  }

  unmapRange(start: number, end: number): void {
    this.journal.row(Kind.kvm_unmap_hva_range, 0, 0, low(start), high(start), low(end), high(end));
  }

  track(gfn: number, count: number, added: boolean): void {
    this.journal.row(added ? Kind.kvm_page_track_add : Kind.kvm_page_track_remove, 0, 0, low(gfn), high(gfn), count, 0);
  }

  writeProtect(gfn: number, level: number, forShadow: boolean): void {
    this.journal.row(Kind.rmap_write_protect, level, 0, low(gfn), high(gfn), forShadow ? 1 : 0, 0);
  }

  pteWrite(gpa: number, bytes: number, valueLo: number, valueHi: number): void {
    this.journal.row(Kind.kvm_mmu_pte_write, 0, bytes, low(gpa), high(gpa), valueLo, valueHi);
  }

  flushRemoteTlbs(gfn: number, pages: number): void {
    this.journal.row(Kind.kvm_flush_remote_tlbs, 0, 0, low(gfn), high(gfn), low(pages), high(pages));
  }

  loadRoot(hpa: number, level: number, pgdLo: number, pgdHi: number): void {
    this.journal.row(Kind.kvm_load_root, level, 0, low(hpa), high(hpa), pgdLo, pgdHi);
  }

  private four(
    kind: Kind,
    level: number,
    small: number,
    aLo: number,
    aHi: number,
    bLo: number,
    bHi: number,
    cLo: number,
    cHi: number,
    dLo: number,
    dHi: number,
  ): void {
    this.journal.row(kind, level, small, aLo, aHi, bLo, bHi);
    this.journal.row(Kind.more, 0, 0, cLo, cHi, dLo, dHi);
  }
}

/** A #PF that waits to be delivered with the next entry. */
export interface InjectedFault {
  readonly errorCode: number;
  readonly lo: number;
  readonly hi: number;
}

/** What a VM exit says besides its reason (kvm_exit). */
export interface ExitInfo {
  readonly info1Lo: number;
  readonly info1Hi: number;
  readonly info2Lo: number;
  readonly info2Hi: number;
  readonly intrInfo: number;
  readonly errorCode: number;
}

export const NO_INFO: ExitInfo = { info1Lo: 0, info1Hi: 0, info2Lo: 0, info2Hi: 0, intrInfo: 0, errorCode: 0 };
