/**
 * Entries of the tables that a hypervisor hands to hardware (§5.1.3; spte.h, spte.c): soft MMU and NPT in the ordinary
 * format, EPT in its own. Questions take an entry's two halves as they stand in memory; what is made is a {@link Spte}.
 */
import { FRAME_HIGH, FRAME_LOW, Ept, NX_HIGH, Pte } from '../../x86/entries';
import { join } from '../../bits';
import type { HostConfig } from '../../program';
import { rulesOf } from '../kernel-rules';
import { Acc } from './role';

/** SPTE_MMU_PRESENT_MASK: bit 11. */
const MMU_PRESENT = 1 << 11;
const LARGE = Pte.large;
const WRITABLE = Pte.writable;
/** Bits 53:52: A/D on (0), off, on but writes are logged by protection only. */
const AD_MASK_HIGH = 3 << 20;
const AD_DISABLED_HIGH = 1 << 20;
const AD_WRPROT_ONLY_HIGH = 2 << 20;
/** Access tracking without A/D: bits 2 and 0 are kept 54 bits further up. */
const TRACK_SAVED = Ept.read | Ept.execute;
const TRACK_SHIFT = 22;
/** Suppress #VE. */
const SUPPRESS_VE_HIGH = 1 << 31;
/** MMIO sptes: generation bits 7:0 in 10:3, 18:8 in 62:52; gfn in the address field. */
const GENERATION_LOW_BITS = 8;
const GENERATION_HIGH_MASK = 0x7ff00000;
const GENERATION_LOW_MASK = 0xff << 3;
/** TDP MMU: the mark of an entry under removal, in an entry that is empty otherwise. */
const REMOVED_LOW = 0x5a0;

/** An entry, or what is to become one: a value. */
export interface Spte {
  readonly lo: number;
  readonly hi: number;
}

interface SpteOptions {
  readonly ept: boolean;
  /** EPT: accessed and dirty flags are used. */
  readonly accessedDirty: boolean;
  /** EPT: execute-only is supported, so no right is implied by presence. */
  readonly executeOnly: boolean;
  /** The host has NX; otherwise whatever is mapped can be executed. */
  readonly nx: boolean;
  /** Host MAXPHYADDR; with 52 no bit is left to mark MMIO in the ordinary format. */
  readonly maxPhyAddr: number;
  /** Bit 63 (suppress #VE) stands in empty and in all EPT entries (rule suppressVe). */
  readonly suppressVe: boolean;
  /** The vCPU logs writes by PML: entries used under guest_mode stay with protection. */
  readonly pml: boolean;
}

/** What the entries of a hypervisor on this host are like. */
export function spteOptions({ features, kvm, maxPhyAddr }: HostConfig, ept: boolean, pml: boolean): SpteOptions {
  return {
    ept,
    accessedDirty: features.eptAd && kvm.eptAd,
    executeOnly: features.eptExecuteOnly,
    nx: features.nx,
    maxPhyAddr,
    suppressVe: rulesOf(kvm.kernel, kvm.rules).suppressVe,
    pml,
  };
}

/** Rights and state of a leaf about to be made. */
interface Leaf {
  readonly access: number;
  readonly pfn: number;
  readonly level: number;
  readonly hostWritable: boolean;
  /** W, and MMU-W with it. */
  readonly writable: boolean;
  readonly dirty: boolean;
  readonly accessed: boolean;
  /** Where the format has no A: all rights are taken to see the next access (mark_spte_for_access_track). */
  readonly tracked: boolean;
  readonly adDisabled: boolean;
  readonly guestMode: boolean;
}

export class SpteFormat {
  readonly ept: boolean;
  /** MMIO sptes can be told from others. */
  readonly mmioCaching: boolean;
  /** {@link Acc} bits that an MMIO spte keeps. */
  readonly mmioAccess: number;
  /** An entry that maps nothing. */
  readonly empty: Spte;
  /** The mark of an entry under removal (REMOVED_SPTE, later FROZEN_SPTE). */
  readonly removed: Spte;
  private readonly presentMask: number;
  private readonly userMask: number;
  private readonly execMask: number;
  private readonly nxMask: number;
  private readonly accessedMask: number;
  private readonly dirtyMask: number;
  private readonly memoryType: number;
  private readonly hostWritableLo: number;
  private readonly hostWritableHi: number;
  private readonly mmuWritableLo: number;
  private readonly mmuWritableHi: number;
  private readonly mmioValueLo: number;
  private readonly mmioValueHi: number;
  private readonly mmioMaskLo: number;
  private readonly mmioMaskHi: number;
  private readonly commonHi: number;

  constructor(readonly options: SpteOptions) {
    const { ept } = options;
    this.ept = ept;
    this.presentMask = ept ? (options.executeOnly ? 0 : Ept.read) : Pte.present;
    this.userMask = ept ? Ept.read : Pte.user;
    this.execMask = ept ? Ept.execute : 0;
    this.nxMask = ept || !options.nx ? 0 : NX_HIGH;
    this.accessedMask = ept ? (options.accessedDirty ? Ept.accessed : 0) : Pte.accessed;
    this.dirtyMask = ept ? (options.accessedDirty ? Ept.dirty : 0) : Pte.dirty;
    // Write-back, guest PAT ignored.
    this.memoryType = ept ? (6 << 3) | Ept.ignorePat : 0;
    this.hostWritableLo = ept ? 0 : 1 << 9;
    this.hostWritableHi = ept ? 1 << 25 : 0;
    this.mmuWritableLo = ept ? 0 : 1 << 10;
    this.mmuWritableHi = ept ? 1 << 26 : 0;
    this.mmioValueLo = ept ? Ept.write | Ept.execute : Pte.present;
    this.mmioValueHi = ept ? 0 : 1 << 19;
    this.mmioMaskLo = ept ? Ept.read | Ept.write | Ept.execute : Pte.present;
    this.mmioMaskHi = ept ? SUPPRESS_VE_HIGH : 1 << 19;
    this.mmioAccess = ept ? 0 : Acc.write | Acc.user;
    this.mmioCaching = ept || options.maxPhyAddr < 52;
    const emptyHi = options.suppressVe ? SUPPRESS_VE_HIGH : 0;
    this.empty = { lo: 0, hi: emptyHi };
    this.removed = { lo: REMOVED_LOW, hi: emptyHi };
    this.commonHi = ept && options.suppressVe ? SUPPRESS_VE_HIGH : 0;
  }

  /** EPT with A/D, or a format that always has them (kvm_ad_enabled). */
  get accessedDirty(): boolean {
    return this.accessedMask !== 0;
  }

  /** Presence implies no right to read (execute-only EPT): an entry may have no rights at all. */
  get rightsImplyPresence(): boolean {
    return this.presentMask === 0;
  }

  present(lo: number): boolean {
    return (lo & MMU_PRESENT) !== 0;
  }

  large(lo: number): boolean {
    return (lo & LARGE) !== 0;
  }

  /** Maps memory, when present (is_last_spte). */
  last(lo: number, level: number): boolean {
    return level === 1 || (lo & LARGE) !== 0;
  }

  writable(lo: number): boolean {
    return (lo & WRITABLE) !== 0;
  }

  hostWritable(lo: number, hi: number): boolean {
    return ((lo & this.hostWritableLo) | (hi & this.hostWritableHi)) !== 0;
  }

  /** KVM may make the entry writable by itself (is_mmu_writable_spte). */
  mmuWritable(lo: number, hi: number): boolean {
    return ((lo & this.mmuWritableLo) | (hi & this.mmuWritableHi)) !== 0;
  }

  user(lo: number): boolean {
    return (lo & this.userMask) !== 0;
  }

  executable(lo: number, hi: number): boolean {
    return this.ept ? (lo & this.execMask) !== 0 : (hi & NX_HIGH) === 0;
  }

  /** Hardware can use the entry at all: not emptied of rights by access tracking. */
  readable(lo: number): boolean {
    return (lo & (this.ept ? Ept.read : Pte.present)) !== 0;
  }

  /** Page frame number, or frame of the table below. */
  pfn(lo: number, hi: number): number {
    return join(lo & FRAME_LOW, hi & FRAME_HIGH) / 4096;
  }

  adEnabled(hi: number): boolean {
    return (hi & AD_MASK_HIGH) !== AD_DISABLED_HIGH;
  }

  adNeedsWriteProtection(hi: number): boolean {
    return (hi & AD_MASK_HIGH) !== 0;
  }

  /** is_accessed_spte */
  accessed(lo: number, hi: number): boolean {
    const mask = this.adEnabled(hi) ? this.accessedMask : 0;
    return mask !== 0 ? (lo & mask) !== 0 : !this.accessTracked(lo, hi);
  }

  /** is_dirty_spte */
  dirty(lo: number, hi: number): boolean {
    const mask = this.adEnabled(hi) ? this.dirtyMask : 0;
    return (lo & (mask !== 0 ? mask : WRITABLE)) !== 0;
  }

  /** The dirty flag itself, where the format has one. */
  dirtyFlag(lo: number): boolean {
    return (lo & this.dirtyMask) !== 0;
  }

  /** Rights taken away to see the next access (is_access_track_spte). */
  accessTracked(lo: number, hi: number): boolean {
    return this.ept && !this.adEnabled(hi) && (lo & (Ept.read | Ept.write | Ept.execute)) === 0;
  }

  /** An entry that points to a table (make_nonleaf_spte). */
  nonLeaf(frame: number, adDisabled: boolean): Spte {
    const lo = frameLo(frame) | MMU_PRESENT | this.presentMask | WRITABLE | this.userMask | this.execMask;
    const hi = frameHi(frame) | this.commonHi;
    return adDisabled ? { lo, hi: hi | AD_DISABLED_HIGH } : { lo: lo | this.accessedMask, hi };
  }

  /** make_spte, but for the question whether it may be written. */
  leaf(leaf: Leaf): Spte {
    const { access, pfn, level, hostWritable, writable, adDisabled, guestMode } = leaf;
    const flags = adDisabled ? AD_DISABLED_HIGH : guestMode && this.options.pml ? AD_WRPROT_ONLY_HIGH : 0;
    const adEnabled = this.adEnabled(flags);
    const lo =
      frameLo(pfn) |
      MMU_PRESENT |
      this.presentMask |
      this.memoryType |
      ((access & Acc.exec) !== 0 ? this.execMask : 0) |
      ((access & Acc.user) !== 0 ? this.userMask : 0) |
      (level > 1 ? LARGE : 0) |
      (hostWritable ? this.hostWritableLo : 0) |
      (writable ? WRITABLE | this.mmuWritableLo : 0) |
      (adEnabled && leaf.accessed ? this.accessedMask : 0) |
      (adEnabled && leaf.dirty ? this.dirtyMask : 0);
    const hi =
      frameHi(pfn) |
      flags |
      this.commonHi |
      ((access & Acc.exec) !== 0 ? 0 : this.nxMask) |
      (hostWritable ? this.hostWritableHi : 0) |
      (writable ? this.mmuWritableHi : 0);
    if (!leaf.tracked || adEnabled || this.accessTracked(lo, hi)) return { lo, hi };
    return { lo: lo & ~(Ept.read | Ept.write | Ept.execute), hi: hi | ((lo & TRACK_SAVED) << TRACK_SHIFT) };
  }

  /** W given back. */
  madeWritable({ lo, hi }: Spte): Spte {
    return { lo: lo | WRITABLE, hi };
  }

  /** restore_acc_track_spte */
  restoreAccess(lo: number, hi: number): Spte {
    return { lo: lo | ((hi >>> TRACK_SHIFT) & TRACK_SAVED), hi: hi & ~(TRACK_SAVED << TRACK_SHIFT) };
  }

  /** W off; `forShadow`: MMU-W too, so that only a slow fault gives it back (spte_write_protect). */
  protect(lo: number, hi: number, forShadow: boolean): Spte {
    return { lo: lo & ~(WRITABLE | (forShadow ? this.mmuWritableLo : 0)), hi: hi & ~(forShadow ? this.mmuWritableHi : 0) };
  }

  clearDirty(lo: number, hi: number): Spte {
    return { lo: lo & ~this.dirtyMask, hi };
  }

  /** A small piece of a huge leaf (make_huge_page_split_spte). */
  splitPiece(lo: number, hi: number, level: number, index: number): Spte {
    const frame = this.pfn(lo, hi) + index * 512 ** (level - 1);
    const flags = lo & ~FRAME_LOW;
    return { lo: frameLo(frame) | (level === 1 ? flags & ~LARGE : flags), hi: frameHi(frame) | (hi & ~FRAME_HIGH) };
  }

  /** make_mmio_spte */
  mmio(gfn: number, access: number, generation: number): Spte {
    return {
      lo: frameLo(gfn) | this.mmioValueLo | (access & this.mmioAccess) | ((generation & 0xff) << 3),
      hi: frameHi(gfn) | this.mmioValueHi | (((generation >>> GENERATION_LOW_BITS) & 0x7ff) << 20),
    };
  }

  isMmio(lo: number, hi: number): boolean {
    return (
      this.mmioCaching &&
      (lo & this.mmioMaskLo) === this.mmioValueLo &&
      (hi & this.mmioMaskHi) === this.mmioValueHi &&
      (lo & MMU_PRESENT) === 0
    );
  }

  mmioGfn(lo: number, hi: number): number {
    return join(lo & FRAME_LOW, hi & FRAME_HIGH & ~this.mmioValueHi) / 4096;
  }

  /** get_mmio_spte_access: what of the low bits an MMIO spte keeps as rights. */
  mmioAccessOf(lo: number): number {
    return lo & this.mmioAccess;
  }

  mmioGeneration(lo: number, hi: number): number {
    return ((lo & GENERATION_LOW_MASK) >>> 3) | (((hi & GENERATION_HIGH_MASK) >>> 20) << GENERATION_LOW_BITS);
  }
}

function frameLo(frame: number): number {
  return frame << 12;
}

function frameHi(frame: number): number {
  return Math.floor(frame / 0x10_0000) & FRAME_HIGH;
}
