/**
 * One vCPU as its hypervisor keeps it (struct kvm_vcpu): contexts, requests, what stands in hardware while the guest runs, and
 * the way in and out.
 */
import { join } from '../../bits';
import { Kind, STAGE_GUEST, type Actor } from '../../journal/events';
import type { TableRef } from '../../program';
import { Cr0, Cr4, Load, RFLAGS_AC, keysOf } from '../../vcpu/control-registers';
import { Context } from '../../vcpu/processor-context';
import { PmlLog } from '../../vcpu/pml-log';
import { Register, type Registers } from '../../vcpu/registers';
import { SvmExit, VmxExit, exitReasonName } from '../../x86/exit-reasons';
import { PageFault } from '../../x86/fault-codes';
import type { Format } from '../../x86/formats';
import { Access, GUEST_ALL, HOST_ALL, Policy, Rights, permits } from '../../x86/permissions';
import { Walker } from '../../x86/walker';
import type { Cpu } from './cpu';
import { cpuRole, extendedRole, shadowRootRole, tdpRootRole, walkerPolicy } from '../contexts/cpu-role';
import { useNested, useShadowTables, useTdp } from './hardware';
import type { Completion, Handled, Instruction } from './instruction';
import type { Kvm, VcpuRequests } from '../pages/kvm';
import { loadRoot } from '../contexts/load-roots';
import type { FaultingVcpu } from '../faults/faulting-vcpu';
import { MmioCache } from '../faults/mmio-cache';
import { MmuContext, accessOfCode } from '../contexts/mmu-context';
import { Acc } from '../pages/role';
import { MemslotStage } from '../contexts/memslot-stage';
import type { Nesting } from '../nested/nested-state';
import { drainPml } from '../logging/pml';
import { invalidateAddress } from '../soft/invlpg';
import { syncPage } from '../soft/sync-page';
import { INTR_INFO_PF, type ExitInfo, type InjectedFault } from '../trace';
import { syncChildren } from '../pages/sync-children';
import type { VcpuParts } from './vcpu-parts';

/** Reasons to do something before the guest is entered again (KVM_REQ_*). */
interface Requests {
  freeObsoleteRoots: boolean;
  sync: boolean;
  loadRoot: boolean;
  flushAll: boolean;
  flushCurrent: boolean;
  flushGuest: boolean;
}

const NO_REQUESTS: Readonly<Requests> = {
  freeObsoleteRoots: false,
  sync: false,
  loadRoot: false,
  flushAll: false,
  flushCurrent: false,
  flushGuest: false,
};

export class KvmVcpu implements VcpuRequests, FaultingVcpu {
  readonly kvm: Kvm;
  /** Of the guest that runs: of its own, or, while its guest's guest runs, as VM entry loaded them. */
  registers: Registers;
  readonly processor: Cpu;
  readonly context = new Context();
  readonly rootMmu: MmuContext;
  /** The context by whose tables hardware runs, and the one by which the emulator walks. */
  mmu: MmuContext;
  walkMmu: MmuContext;
  readonly mmio: MmioCache;
  readonly pml: PmlLog;
  readonly actor: Actor;
  /** The last fault was on a page that is a table of its own address (write_fault_to_shadow_pgtable). */
  writeFaultToShadowTable = false;
  /** Instruction whose protected target was given up last (last_retry_eip, last_retry_addr). */
  lastRetry: { readonly rip: number; readonly lo: number; readonly hi: number } | null = null;
  /** What the guest is at. */
  instruction: Instruction | null = null;
  /** Where it is: RIP of the instruction under way; past it when the hypervisor has carried it out. */
  rip = 0;
  /** Exits by name, since they were last taken. */
  readonly exits = new Map<string, number>();
  /** The script plays its hypervisor: what the last exit was, for the script to handle; null: KVM handles it. */
  readonly scripted: (() => Completion) | null = null;
  /** Root in the script's control structure; null: KVM's own is in the registers. */
  get controlRoot(): bigint | null {
    return null;
  }
  /** Its guest is a hypervisor, and this is what is kept for the guests of that. */
  nesting: Nesting | null = null;
  /** A nested guest runs (is_guest_mode). */
  guestMode = false;
  /** It runs by nested tables of its hypervisor (mmu_is_nested). */
  nested = false;
  /** The exit that is being handled. */
  lastExit: { readonly reason: number; readonly info: ExitInfo } = { reason: 0, info: NO_INFO };
  /** Event that the guest hypervisor injects with the next entry (VM-entry interruption information of vmcs12). */
  eventOfEntry: InjectedFault | null = null;
  /** Hardware runs the guest: no exit is being handled. */
  inGuest = false;
  private requests: Requests = { ...NO_REQUESTS };
  private injected: InjectedFault | null = null;
  private loadedRoot = -1;

  constructor(readonly parts: VcpuParts) {
    const { kvm, physical } = parts;
    this.kvm = kvm;
    this.registers = parts.registers;
    this.processor = parts.processor;
    this.actor = parts.actor;
    this.mmio = new MmioCache(() => kvm.guest.slots.generation());
    this.pml = new PmlLog(physical, parts.registers);
    const walker = new Walker(physical, parts.hardware.four, STAGE_GUEST, new MemslotStage(kvm));
    walker.writes = (lo, hi) => writesTable(kvm, lo, hi);
    this.rootMmu = this.mmu = this.walkMmu = new MmuContext(kvm, walker, syncPage);
    kvm.vcpus.push(this);
    this.initMmu();
  }

  get alignmentCheck(): boolean {
    return this.instruction?.ac ?? (this.registers.lo(Register.rflags) & RFLAGS_AC) !== 0;
  }

  /** CR4.PAE (is_pae). */
  get pae(): boolean {
    return (this.registers.lo(Register.cr4) & Cr4.pae) !== 0;
  }

  get smep(): boolean {
    return (this.registers.lo(Register.cr4) & Cr4.smep) !== 0;
  }

  /** It was running when something was asked of it, and has not gone on yet. */
  interrupted = false;

  mmioRead(): bigint {
    return this.parts.mmioRead();
  }

  failed(errno: string, why: string): Handled {
    return { kind: 'done', completion: { kind: 'error', errno, why } };
  }

  // Requests (kvm_make_request).

  requestTlbFlush(): void {
    this.request('flushAll');
  }

  requestFreeObsoleteRoots(): void {
    this.request('freeObsoleteRoots');
  }

  request(what: keyof Requests): void {
    this.requests[what] = true;
    this.kick();
  }

  /** Out of the guest, when it runs: an interrupt from another processor. */
  kick(): void {
    if (!this.inGuest) return;
    this.interrupted = true;
    this.exited(this.parts.vendor === 'intel' ? VmxExit.EXTERNAL_INTERRUPT : SvmExit.INTR, NO_INFO);
  }

  /** The processor is back in the hypervisor (kvm_exit). */
  exited(reason: number, info: ExitInfo): void {
    const { kvm, parts } = this;
    this.processor.stop?.(reason, info);
    kvm.trace.journal.actor = this.actor;
    this.inGuest = false;
    this.lastExit = { reason, info };
    const name = exitReasonName(parts.vendor, reason);
    this.exits.set(name, (this.exits.get(name) ?? 0) + 1);
    kvm.trace.exit(Kind.kvm_exit, reason, info, this.rip, parts.index, this.guestMode);
    if (this.guestMode) kvm.trace.exit(Kind.kvm_nested_vmexit, reason, info, this.rip, parts.index, this.guestMode);
    if (kvm.pmlActive) drainPml(kvm, parts);
    if (parts.vpid === 0 && this.tlbOn) this.processor.invalidations.transition();
  }

  /**
   * Into the guest (vcpu_enter_guest): requests in KVM's order, then the root, then an exception that waits.
   *
   * @returns why it cannot be
   */
  enter(): Completion | null {
    if (this.inGuest) return null;
    const { kvm, parts, requests } = this;
    kvm.trace.journal.actor = this.actor;
    if (requests.freeObsoleteRoots) this.freeObsoleteRoots();
    if (requests.sync) this.syncRoots();
    if (requests.flushGuest) {
      if (!kvm.tdp) {
        this.syncRoots();
        this.syncPreviousRoots();
      }
    }
    if (requests.flushAll || requests.flushCurrent) this.flushHardware();
    this.requests = { ...NO_REQUESTS };
    const { injected } = this;
    const event = injected ?? this.eventOfEntry;
    this.injected = this.eventOfEntry = null;
    if (injected !== null) kvm.trace.injectPageFault(injected.errorCode, injected.lo, injected.hi);
    if (this.mmu.roots.current.hpa < 0) {
      const root = loadRoot(kvm, this.mmu, this.pgdLo, this.pgdHi);
      if (root === null) return { kind: 'error', errno: 'ENOSPC', why: 'no shadow page can be had for a root' };
      this.mmu.roots.current = root;
      this.syncRoots();
      this.flushHardware();
    }
    this.loadHardware();
    if (requests.flushGuest && !requests.flushAll && !requests.flushCurrent && this.tlbOn)
      this.processor.invalidations.apply(Load.flushAll);
    kvm.trace.entry(parts.index, this.rip, event === null ? 0 : INTR_INFO_PF, event?.errorCode ?? 0, this.guestMode);
    if (parts.vpid === 0 && this.tlbOn) this.processor.invalidations.transition();
    const failed = this.processor.launch?.(injected) ?? null;
    if (failed !== null) return failed;
    this.inGuest = true;
    this.interrupted = false;
    return null;
  }

  /** A format by the name of its paging mode, with the rules that the guest's registers select for it; null without tables. */
  formatNamed(name: TableRef['format']): Format | null {
    const { parts, registers } = this;
    const own = parts.formats.of(registers);
    if (own !== null && own.name === name) return own;
    return parts.formatNamed(name);
  }

  // Roots and contexts.

  /** Contexts that have roots. */
  get contexts(): readonly MmuContext[] {
    return this.nesting === null ? [this.rootMmu] : [this.rootMmu, this.nesting.guestMmu];
  }

  private get pgdLo(): number {
    return this.nested ? this.nesting!.rootLo : this.registers.lo(Register.cr3);
  }

  private get pgdHi(): number {
    if (this.nested) return this.nesting!.rootHi;
    return this.mmu.guestLevels >= 4 ? this.registers.hi(Register.cr3) : 0;
  }

  /** Take over what the guest's registers say of its tables (kvm_init_mmu). */
  initMmu(): void {
    const { registers, parts, walkMmu, kvm } = this;
    const format = parts.formats.of(registers);
    const role = cpuRole(registers, this.guestMode);
    const paging = {
      role,
      extended: extendedRole(registers),
      format,
      pgdLo: registers.lo(Register.cr3),
      pgdHi: registers.hi(Register.cr3),
    };
    const adDisabled = !kvm.format.accessedDirty;
    const ownTree = this.guestMode && !kvm.options.shareEptRoot;
    walkMmu.init(paging, kvm.tdp ? tdpRootRole(kvm.tdpLevels, adDisabled, ownTree) : shadowRootRole(role));
    this.updateWalker();
  }

  /** The software walker follows CR3 and what else does not change the role. */
  updateWalker(): void {
    const { registers, parts, kvm } = this;
    const { walker } = this.walkMmu;
    const format = parts.formats.of(registers);
    if (format === null) return;
    walker.use(format, registers.lo(Register.cr3), format.levels >= 4 ? registers.hi(Register.cr3) : 0);
    walker.policy = walkerPolicy(registers);
    walker.keys = kvm.tdp ? keysOf(registers) : 0;
    walker.pkru = registers.lo(Register.pkru);
    walker.pkrs = registers.lo(Register.pkrs);
    walker.pdptes = format.pae && !parts.rules.pdptesInMemory ? registers.pdptes(Register.pdpte0) : null;
  }

  /** All roots go, and contexts are made anew (kvm_mmu_reset_context). */
  resetMmu(): void {
    for (const { roots } of this.contexts) roots.freeAll();
    this.mmio.forgetAllGva();
    this.initMmu();
  }

  /** Another root of the guest's tables is in force (kvm_mmu_new_pgd); a root that is known is used as it is. */
  newPgd(): void {
    const { mmu } = this;
    this.updateWalker();
    if (!mmu.roots.switchTo(this.pgdLo, this.pgdHi, mmu.rootRole, mmu.direct)) return;
    this.request('loadRoot');
    this.mmio.forgetAllGva();
    const { page } = mmu.roots.current;
    if (!mmu.direct && page !== null) page.floodingCount = 0;
  }

  /** A root that stood for a guest's root outside all slots is looked for again. */
  dropDummyRoot(): void {
    const { current } = this.mmu.roots;
    if (current.hpa >= 0 && current.page === null && current.pae === null) this.request('freeObsoleteRoots');
  }

  private freeObsoleteRoots(): void {
    for (const { roots } of this.contexts) roots.freeObsolete();
  }

  /** kvm_mmu_sync_roots */
  private syncRoots(): void {
    const { mmu, kvm } = this;
    const { current } = mmu.roots;
    if (mmu.direct || current.hpa < 0) return;
    this.mmio.forgetAllGva();
    for (const page of current.pae ?? (current.page === null ? [] : [current.page])) syncChildren(kvm, page, mmu.sync);
  }

  /** Previous roots with unsync pages are brought into step by letting them go (kvm_mmu_sync_prev_roots). */
  private syncPreviousRoots(): void {
    this.mmu.roots.freePrevious((root) => root.page !== null && (root.page.unsync || root.page.unsyncChildren > 0));
  }

  /** INVLPG as the guest means it (kvm_mmu_invlpg): in the current root and, when all are meant, in the previous ones. */
  invalidateAddress(mmu: MmuContext, lo: number, hi: number, all: boolean): void {
    if (this.tlbOn && mmu === this.walkMmu) this.processor.invalidations.invlpg(lo, hi);
    if (mmu.direct) return;
    this.mmio.forgetGva(lo, hi);
    invalidateAddress(this.kvm, mmu, mmu.roots.current, lo, hi);
    if (all) for (const root of mmu.roots.previous) if (root.hpa >= 0) invalidateAddress(this.kvm, mmu, root, lo, hi);
  }

  /**
   * The guest's walk failed: its fault waits for the next entry (kvm_inject_emulated_page_fault).
   *
   * @param also bits of the error code besides the walker's
   * @returns the error code
   */
  injectWalkFault(mmu: MmuContext, lo: number, hi: number, status: number, also = 0): number {
    const nested = this.nesting?.reflectedFault(mmu, status) ?? null;
    if (nested !== null) return nested;
    const errorCode = mmu.walker.errorCode | also;
    if ((errorCode & PageFault.present) !== 0 && (errorCode & PageFault.reserved) === 0) this.invalidateAddress(mmu, lo, hi, false);
    if (this.nesting?.interceptsPageFault === true) this.nesting.pending = { errorCode, lo, hi };
    else {
      this.injected = { errorCode, lo, hi };
      this.registers.set(Register.cr2, lo, hi);
    }
    return errorCode;
  }

  /** The fault that waits to be delivered, as the guest will see it. */
  get pendingFault(): Completion | null {
    const { injected } = this;
    return injected === null ? null : { kind: 'page-fault', error: injected.errorCode, lo: injected.lo, hi: injected.hi };
  }

  /** May the access be made by the rights of the remembered MMIO access? */
  mmioPermitted(code: number): boolean {
    if (!this.walkMmu.paging) return true;
    const { access } = this.mmio;
    const bit = (acc: Acc, right: Rights): number => ((access & acc) !== 0 ? right : 0);
    const rights = HOST_ALL | (GUEST_ALL & (bit(Acc.write, Rights.write) | bit(Acc.user, Rights.user)));
    return permits(this.walkMmu.walker.policy, rights, accessOfCode(code) | (this.alignmentCheck ? Access.ac : 0));
  }

  // Hardware.

  get tlbOn(): boolean {
    return this.parts.tlbOn;
  }

  protected flushHardware(): void {
    if (this.tlbOn) this.processor.invalidations.everything();
  }

  /** What stands in hardware while the guest runs, from registers and root. */
  loadHardware(): void {
    const { mmu, kvm, context, registers, parts } = this;
    const { current } = mmu.roots;
    context.vpid = this.nesting?.vpid ?? parts.vpid;
    if (current.hpa !== this.loadedRoot) {
      this.loadedRoot = current.hpa;
      kvm.trace.loadRoot(current.hpa, current.level, current.pgdLo, current.pgdHi);
    }
    registers.set(Register.vpid, context.vpid, 0);
    if (this.nesting !== null && this.guestMode) useNested(this, this.nesting, current);
    else if (kvm.tdp) useTdp(this, current);
    else useShadowTables(this, current);
    context.pml = kvm.pmlActive && !this.guestMode && registers.lo(Register.pmlAddress) !== 0 ? this.pml : null;
    this.processor.enter(context);
  }

  /** Policy bits that hardware runs the shadow tables with: WP and NX always, SMEP and SMAP as the guest has them (§5.2). */
  get shadowPolicy(): number {
    const paging = (this.registers.lo(Register.cr0) & Cr0.pg) !== 0;
    const cr4 = paging ? this.registers.lo(Register.cr4) : 0;
    return Policy.writeProtect | Policy.nxe | ((cr4 & Cr4.smep) !== 0 ? Policy.smep : 0) | ((cr4 & Cr4.smap) !== 0 ? Policy.smap : 0);
  }
}

/** KVM sets flags in a guest's table: its page becomes dirty. */
export function writesTable(kvm: Kvm, lo: number, hi: number): void {
  const gpa = join(lo, hi);
  const address = kvm.guest.look(gpa);
  if (address >= 0) kvm.tables.reach(address, true);
  kvm.guest.markDirty(Math.floor(gpa / 4096));
}

export const NO_INFO: ExitInfo = { info1Lo: 0, info1Hi: 0, info2Lo: 0, info2Hi: 0, intrInfo: 0, errorCode: 0 };
