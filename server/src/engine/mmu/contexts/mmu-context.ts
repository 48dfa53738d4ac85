/**
 * One MMU context of a vCPU (struct kvm_mmu): by which tables the guest's addresses are translated, and the tables that the
 * hypervisor builds for them. root_mmu, guest_mmu and nested_mmu are instances of it.
 */
import { join } from '../../bits';
import { Access } from '../../x86/permissions';
import { ACCESS_FETCH, ACCESS_READ, ACCESS_USER, ACCESS_WRITE } from '../../journal/events';
import { PageFault } from '../../x86/fault-codes';
import type { Format } from '../../x86/formats';
import { Walk, type Stage } from '../../x86/stage';
import type { Walker } from '../../x86/walker';
import type { Kvm } from '../pages/kvm';
import { ACC_ALL, Role, accOfRights } from '../pages/role';
import { Roots } from './roots';
import type { ShadowPage } from '../pages/shadow-page';
import type { SyncPage } from '../pages/sync-children';

/** What a guest's registers, or EPTP12, say of its tables. */
interface GuestPaging {
  /** cpu_role.base: level, access, direct and the CPU-state bits of {@link Role}. */
  readonly role: number;
  /** Bits that the walker depends on besides (cpu_role.ext). */
  readonly extended: number;
  /** Null without paging. */
  readonly format: Format | null;
  /** Root register. */
  readonly pgdLo: number;
  readonly pgdHi: number;
}

/** Brings a shadow page of a context into step with its guest table (kvm_mmu.sync_page); results as {@link SyncPage}. */
type ContextSync = (kvm: Kvm, mmu: MmuContext, page: ShadowPage) => number;

export class MmuContext {
  /** cpu_role.base and ext. */
  cpuRole = 0;
  extended = 0;
  /** Role of the roots to build. */
  rootRole = 0;
  readonly roots: Roots;
  /** Frame of the vCPU's four PAE entries; -1: not needed yet. */
  paeFrame = -1;
  /** The guest's tables have no meaning for these of the hypervisor: TDP, or no paging. */
  direct = true;
  /** Levels of the guest's tables: 0 without paging, 2 to 5. */
  guestLevels = 0;
  /** Brings one shadow page into step with its guest table. */
  readonly sync: SyncPage = (page) => this.syncPage(this.kvm, this, page);

  /**
   * @param walker of the guest's tables, by software
   * @param beneath tables of a hypervisor in between, through which everything in the guest's tables goes once more
   */
  constructor(
    readonly kvm: Kvm,
    readonly walker: Walker,
    private readonly syncPage: ContextSync,
    private readonly beneath: Stage | null = null,
  ) {
    this.roots = new Roots(kvm);
  }

  /** The guest pages. */
  get paging(): boolean {
    return this.guestLevels > 0;
  }

  /** A linear address and the hypervisor's guest-physical one differ. */
  get translates(): boolean {
    return this.paging || this.beneath !== null;
  }

  /** Guest-physical address that the last walk came to, of the hypervisor's own guest. */
  get reached(): number {
    const { outLo, outHi } = this.beneath ?? this.walker;
    return join(outLo, outHi);
  }

  get wp(): boolean {
    return (this.cpuRole & Role.cr0Wp) !== 0;
  }

  /** Take over what the guest's registers say (kvm_init_mmu, shadow_mmu_init_context). */
  init(paging: GuestPaging, rootRole: number): void {
    this.cpuRole = paging.role;
    this.extended = paging.extended;
    this.rootRole = rootRole;
    this.direct = (rootRole & Role.direct) !== 0;
    this.guestLevels = paging.format === null ? 0 : paging.role & Role.level;
  }

  /**
   * Walk the guest's tables by software.
   *
   * @param pferr error code that the walk begins with; its access bits are W, U, F
   * @param ac EFLAGS.AC counts
   */
  walk(lo: number, hi: number, pferr: number, ac: boolean): number {
    const access = accessOfCode(pferr) | (ac ? Access.ac : 0);
    if (!this.paging && this.beneath !== null) return this.beneath.translate(lo, hi, access) === Walk.ok ? Walk.ok : Walk.below;
    this.walker.pferr = pferr;
    return this.walker.translate(lo, hi, access);
  }

  /** {@link Acc} of entries that the last walk read, from the top down to a level. */
  accessDownTo(level: number): number {
    if (level > this.walker.firstLevel) return ACC_ALL;
    return accOfRights(this.walker.rightsDownTo(level), this.walker.format.ept);
  }
}

/** Access bits of a #PF error code. */
export function accessOfCode(code: number): number {
  const what = (code & PageFault.write) !== 0 ? ACCESS_WRITE : (code & PageFault.fetch) !== 0 ? ACCESS_FETCH : ACCESS_READ;
  return what | ((code & PageFault.user) !== 0 ? ACCESS_USER : 0);
}
