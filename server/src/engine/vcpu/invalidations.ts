/**
 * What operations remove from the cached translations (§2.10, §3.10; SDM vol. 3 "Operations that invalidate TLBs and
 * paging-structure caches", "Operations that invalidate cached mappings"; APM vol. 2 "TLB management").
 */
import { FlushScope } from '../journal/enumerations';
import { Kind } from '../journal/events';
import type { Journal } from '../journal/journal';
import { Load } from './control-registers';
import { UNMAPPED_TAG } from './tags';
import type { Tlb } from './tlb';

export class Invalidations {
  // Of the context that runs.
  vpid = 0;
  pcid = 0;
  /** Frame number of the second stage's root; -1: none. */
  root = -1;
  /** Bits of a canonical address: 48 or 57; 32 outside 64-bit mode. */
  addressBits = 48;

  constructor(
    private readonly tlb: Tlb,
    private readonly journal: Journal,
    /** ASIDs tag guest-physical mappings too. */
    private readonly amd: boolean,
  ) {}

  /** What a register load asks for ({@link Load}); the new PCID must be in force. */
  apply(effects: number): void {
    const { vpid, pcid } = this;
    if ((effects & Load.flushAll) !== 0) {
      this.row(FlushScope.all, 0, 0, vpid);
      this.tlb.dropTags((tag) => tag.vpid === vpid, true);
    } else if ((effects & Load.flushPcid) !== 0) {
      this.row(FlushScope.pcid, 0, 0, pcid);
      this.tlb.dropTags((tag) => tag.vpid === vpid && tag.pcid === pcid && !tag.global, true);
      this.tlb.dropGlobals((tag) => tag.vpid === vpid);
    } else if ((effects & Load.flushNonGlobal) !== 0) {
      this.row(FlushScope.nonGlobal, 0, 0, pcid);
      this.tlb.dropTags((tag) => tag.vpid === vpid && tag.pcid === pcid && !tag.global, false);
    }
  }

  /** INVLPG: the page for the current PCID, global pages there for all. Nothing when the address is not canonical. */
  invlpg(lo: number, hi: number): void {
    if (!this.canonical(hi)) return;
    const { vpid, pcid } = this;
    this.row(FlushScope.page, lo, hi, pcid);
    this.tlb.dropPage(lo, hi, (tag) => tag.vpid === vpid && tag.pcid === pcid && !tag.global, 'drop', 'all');
    this.tlb.dropGlobalPage(lo, hi, (tag) => tag.vpid === vpid);
  }

  /**
   * INVPCID.
   *
   * @returns false: #GP(0)
   */
  invpcid(type: number, pcid: number, lo: number, hi: number): boolean {
    const { vpid } = this;
    if (type < 0 || type > 3 || pcid < 0 || pcid > 0xfff) return false;
    if (type === 0) {
      if (!this.canonical(hi)) return false;
      this.row(FlushScope.page, lo, hi, pcid);
      this.tlb.dropPage(lo, hi, (tag) => tag.vpid === vpid && tag.pcid === pcid && !tag.global, 'keep', 'address');
    } else if (type === 1) {
      this.row(FlushScope.nonGlobal, 0, 0, pcid);
      this.tlb.dropTags((tag) => tag.vpid === vpid && tag.pcid === pcid && !tag.global, false);
    } else {
      this.row(type === 2 ? FlushScope.all : FlushScope.allNonGlobal, 0, 0, vpid);
      this.tlb.dropTags((tag) => tag.vpid === vpid, type === 2);
    }
    return true;
  }

  /** INVEPT 1 (one context) and 2 (all): guest-physical and combined mappings. @param root frame number of the EPT root */
  invept(type: 1 | 2, root: number): void {
    this.row(type === 1 ? FlushScope.eptContext : FlushScope.eptGlobal, 0, 0, type === 1 ? root : 0);
    const fits = (other: number): boolean => (type === 1 ? other === root : other >= 0);
    this.tlb.dropTags((tag) => fits(tag.root), true);
    this.tlb.dropGuestPhysical((tag) => fits(tag.root));
  }

  /** INVVPID 0 (address), 1 (one VPID), 2 (all but VPID 0), 3 (one VPID except global pages). @returns false: VMfailValid */
  invvpid(type: 0 | 1 | 2 | 3, vpid: number, lo: number, hi: number): boolean {
    if (type !== 2 && vpid === 0) return false;
    if (type === 0) {
      if (!this.canonical(hi)) return false;
      this.row(FlushScope.page, lo, hi, vpid);
      this.tlb.dropPage(lo, hi, (tag) => tag.vpid === vpid, 'drop', 'all');
    } else if (type === 2) {
      this.row(FlushScope.allVpids, 0, 0, 0);
      this.tlb.dropTags((tag) => tag.vpid !== 0, true);
    } else {
      this.row(type === 1 ? FlushScope.all : FlushScope.allNonGlobal, 0, 0, vpid);
      this.tlb.dropTags((tag) => tag.vpid === vpid, type === 1);
    }
    return true;
  }

  /** INVLPGA: a page of an ASID; nested translations of the ASID go with it, which is allowed. */
  invlpga(lo: number, hi: number, asid: number): void {
    this.row(FlushScope.page, lo, hi, asid);
    this.tlb.dropPage(lo, hi, (tag) => tag.vpid === asid, 'drop', 'all');
    this.tlb.dropGuestPhysical((tag) => tag.vpid === asid);
  }

  /** VMRUN with TLB_CONTROL: 0 nothing, 1 everything, 3 this ASID, 7 this ASID's non-global pages. */
  tlbControl(control: 0 | 1 | 3 | 7, asid: number): void {
    if (control === 0) return;
    if (control === 1) return this.everything();
    this.row(control === 3 ? FlushScope.all : FlushScope.allNonGlobal, 0, 0, asid);
    this.tlb.dropTags((tag) => (tag.vpid & ~UNMAPPED_TAG) === asid, control === 3);
    this.tlb.dropGuestPhysical((tag) => (tag.vpid & ~UNMAPPED_TAG) === asid);
  }

  /** VM entry or exit without VPID: mappings of VPID 0. Guest-physical ones stay. */
  transition(): void {
    this.row(FlushScope.all, 0, 0, 0);
    this.tlb.dropTags((tag) => tag.vpid === 0, true);
  }

  everything(): void {
    this.row(FlushScope.allVpids, 0, 0, 0);
    this.tlb.dropAll();
  }

  /** A fault or exit on a linear address: its page under the current PCID, and what leads there. */
  fault(lo: number, hi: number): void {
    const { vpid, pcid } = this;
    this.tlb.dropPage(lo, hi, (tag) => tag.vpid === vpid && (tag.pcid === pcid || tag.global), 'drop', 'address');
  }

  /** An EPT violation or nested page fault: mappings of the guest-physical address under the current root. */
  secondFault(lo: number, hi: number): void {
    const { vpid, root, amd } = this;
    this.tlb.dropGuestPhysicalAddress(lo, hi, (tag) => tag.root === root && (!amd || tag.vpid === vpid));
  }

  private canonical(hi: number): boolean {
    if (this.addressBits === 32) return true;
    const sign = this.addressBits === 57 ? hi >> 24 : hi >> 15;
    return sign === 0 || sign === -1;
  }

  private row(scope: FlushScope, lo: number, hi: number, tag: number): void {
    this.journal.row(Kind.tlb_flush, 0, scope, lo, hi, tag | 0, Math.floor(tag / 0x1_0000_0000));
  }
}
