/**
 * What L0 keeps of a vCPU whose guest is a hypervisor, and how it emulates that hypervisor's VM entries and its guest's VM
 * exits (§7.1, §7.5, §7.7; vmx/nested.c, svm/nested.c).
 */
import { ACCESS_FETCH, ACCESS_USER, ACCESS_WHAT, ACCESS_WRITE, STAGE_GUEST, STAGE_SECOND } from '../../journal/events';
import type { Invalidations } from '../../vcpu/invalidations';
import { Efer } from '../../vcpu/control-registers';
import type { Context } from '../../vcpu/processor-context';
import { Bank, Register, Registers } from '../../vcpu/registers';
import { SvmExit, VmxExit } from '../../x86/exit-reasons';
import { PageFault, Qualification } from '../../x86/fault-codes';
import { HOST_ALL, Policy } from '../../x86/permissions';
import { Walk } from '../../x86/stage';
import type { Walker } from '../../x86/walker';
import { UNMAPPED_TAG } from '../../vcpu/tags';
import type { KvmVcpu } from '../vcpu/kvm-vcpu';
import { MemslotStage } from '../contexts/memslot-stage';
import { MmuContext } from '../contexts/mmu-context';
import type { Root } from '../contexts/roots';
import { softwareWalker } from '../contexts/software-walker';
import { ACC_ALL, Role, withAccess, withLevel } from '../pages/role';
import { invalidateAddress } from '../soft/invlpg';
import { syncPage } from '../soft/sync-page';
import type { GuestHypervisor } from '../vcpu/guest-hypervisor';
import { useSecondStage, useShadowTables } from '../vcpu/hardware';
import { serveLocalFlushes } from '../vcpu/serve-requests';
import { initMmu, invalidateGuestAddress, newPgd } from '../vcpu/vcpu-mmu';
import { exitFields, NO_INFO, INTR_INFO_PF, type ExitInfo, type InjectedFault } from '../trace';
import { HOST_RIP } from './control-fields';
import type { Control, Reflected } from './control-structure';
import { controlFailure, guestStateFailure, vmcbFailure, type EntryFailure } from './entry-checks';
import { NestedPml } from './nested-pml';
import { NestedStage } from './nested-stage';

/** Bytes of VMLAUNCH, VMRESUME, VMRUN. */
const ENTRY_INSTRUCTION = 3;

/** VPID of L2, so that its translations are not L1's (vpid02). */
const VPID02 = 0x4000;

/** An entry that fails: the instruction does (VMfail), or it is left again at once, with an exit that says so. */
export interface FailedEntry extends Pick<EntryFailure, 'number' | 'why'> {
  readonly by: 'instruction' | 'exit';
}

export class Nesting implements GuestHypervisor {
  /** Shadows L1's EPT or nested tables. */
  readonly guestMmu: MmuContext;
  /** Walks L2's own tables by software, through L1's. */
  readonly nestedMmu: MmuContext;
  /** By which L2 runs now; null: L1 runs. */
  control: Control | null = null;
  /** A #PF of L2 that becomes an exit to L1 before anything else runs. */
  pending: InjectedFault | null = null;
  /** The last exit that was handed to L1. */
  reflected: Reflected | null = null;
  private readonly stage: NestedStage;
  /** Guest state of vmcs02. */
  private readonly registers: Registers;
  private lastVpid = 0;
  private runPending = false;
  /** Some guest of it has run. */
  private entered = false;
  /** Where L1 goes on after an exit of L2: behind its VMRUN, or at VMCS.HOST_RIP. */
  private returnRip = 0;
  private eventOfEntry: InjectedFault | null = null;

  /** @param invalidations of the processor */
  constructor(
    readonly vcpu: KvmVcpu,
    private readonly invalidations: Invalidations,
  ) {
    const { kvm, parts } = vcpu;
    const { physical, hardware } = parts;
    const slots = new MemslotStage(kvm);
    const tables = (): Walker => softwareWalker(kvm, physical, hardware.second ?? hardware.four, STAGE_SECOND, slots);
    this.guestMmu = new MmuContext(kvm, tables(), syncPage);
    this.stage = new NestedStage(tables(), new MemslotStage(kvm));
    const walker = softwareWalker(kvm, physical, hardware.four, STAGE_GUEST, this.stage);
    this.nestedMmu = new MmuContext(kvm, walker, syncPage, this.stage);
    this.registers = new Registers(kvm.trace.journal, parts.number, Bank.nested);
  }

  get rootLo(): number {
    return this.control?.rootLo ?? 0;
  }

  get rootHi(): number {
    return this.control?.rootHi ?? 0;
  }

  get guestMode(): boolean {
    return this.control !== null;
  }

  get nested(): boolean {
    return this.control?.nested ?? false;
  }

  /** Of AMD there is no such check (vmx.c: __vmx_handle_exit). */
  get entryPending(): boolean {
    return this.runPending && !this.guestMode && this.vcpu.parts.vendor === 'intel';
  }

  get contexts(): readonly MmuContext[] {
    return [this.guestMmu];
  }

  /** AMD: L1 and L2 share one. */
  vpidOf(own: number): number {
    return this.hasOwnTag ? own + VPID02 : own;
  }

  tagOf(own: number): number {
    return this.vpidOf(own) ^ ((this.control?.context.vpid ?? 0) & UNMAPPED_TAG);
  }

  takeEvent(): InjectedFault | null {
    const { eventOfEntry } = this;
    this.eventOfEntry = null;
    return eventOfEntry;
  }

  takePageFault(fault: InjectedFault): boolean {
    const takes = this.control?.interceptsPageFault(fault.errorCode) ?? false;
    if (takes) this.pending = fault;
    return takes;
  }

  takeTripleFault(): boolean {
    if (this.control === null) return false;
    const reason = this.vcpu.parts.vendor === 'intel' ? VmxExit.TRIPLE_FAULT : SvmExit.SHUTDOWN;
    this.leave({ reason, info: NO_INFO, gpaLo: 0, gpaHi: 0 });
    return true;
  }

  /** Under soft MMU by shadow tables too, else what L1 loaded, above tables of L0. */
  loadGuest(root: Root): void {
    const { vcpu, control } = this;
    this.runPending = false;
    if (!vcpu.kvm.tdp || control === null) return useShadowTables(vcpu, root);
    copyFirstStage(control.context, vcpu.context);
    useSecondStage(vcpu, root, control.nested);
  }

  stopGuest(): void {
    this.control?.stopGuest();
  }

  private get hasOwnTag(): boolean {
    const { vpid, vendor } = this.vcpu.parts;
    return vendor === 'intel' && vpid !== 0 && this.control !== null && this.control.vpid !== 0;
  }

  /**
   * VMLAUNCH, VMRESUME or VMRUN, which has exited already (nested_vmx_run, nested_svm_vmrun).
   *
   * @returns why L0 refuses; null: the next entry is L2's
   */
  enter(control: Control, instruction: number): FailedEntry | null {
    const { vcpu } = this;
    const { kvm, parts } = vcpu;
    const intel = parts.vendor === 'intel';
    // VMRUN is skipped before the VMCB is looked at, VMLAUNCH and VMRESUME when they fail (nested_svm_vmrun, nested_vmx_fail).
    if (!intel) vcpu.rip += ENTRY_INSTRUCTION;
    const refused = intel ? controlFailure(vcpu, control, instruction === (VmxExit.VMLAUNCH as number)) : vmcbFailure(vcpu, control);
    if (refused !== null) {
      if (intel) vcpu.rip += ENTRY_INSTRUCTION;
      return this.failed(refused, intel ? 'instruction' : 'exit');
    }
    this.returnRip = intel ? HOST_RIP : vcpu.rip;
    const event = kvm.trace.journal.length;
    const { second } = control.context;
    const guest = this.registers;
    const [rootLo, rootHi] = second === null ? [control.cr3Lo, control.cr3Hi] : [control.rootLo, control.rootHi];
    kvm.trace.emit('kvm_nested_vmenter', {
      nested_tdp: second !== null,
      rip: vcpu.rip,
      vmcs: control.address,
      nested_rip: control.rip,
      event_inj: control.event === null ? 0 : INTR_INFO_PF,
      nested_root: { lo: rootLo, hi: rootHi },
    });
    if (intel) {
      serveLocalFlushes(vcpu);
      // vmcs02 is loaded for the first time (vmx_vcpu_load_vmcs).
      if (!this.entered) vcpu.request('flushAll');
      this.entered = true;
    } else kvm.trace.emit('kvm_nested_intercepts', control.intercepts);
    const invalid = intel ? guestStateFailure(vcpu, control) : null;
    if (invalid !== null) {
      const failed = this.failed(invalid, 'exit');
      this.loadHypervisor(control);
      return failed;
    }
    this.runPending = true;
    kvm.trace.journal.goesOn(event);
    control.load(guest);
    this.control = control;
    this.pending = null;
    vcpu.registers = guest;
    this.eventOfEntry = control.event;
    this.flushOnTransition(true, control);
    if (second !== null) {
      this.shadowTables(control);
      vcpu.mmu = this.guestMmu;
      vcpu.walkMmu = this.nestedMmu;
      newPgd(vcpu);
    }
    initMmu(vcpu);
    if (second === null) newPgd(vcpu);
    return null;
  }

  private failed({ checks, number, why }: EntryFailure, by: FailedEntry['by']): FailedEntry {
    for (const check of checks) this.vcpu.kvm.trace.emit('kvm_nested_vmenter_failed', { check });
    return { by, number, why };
  }

  /** What runs in hardware has changed without an exit: L2 loaded a register natively. */
  reload(): void {
    const { vcpu } = this;
    this.control?.load(this.registers);
    initMmu(vcpu);
    vcpu.mode.loadHardware();
  }

  /** Hand an exit to L1 (nested_vmx_vmexit, nested_svm_vmexit). The next entry is L1's. */
  leave(reflected: Reflected): void {
    const { vcpu, control } = this;
    const { kvm, parts } = vcpu;
    if (parts.vendor === 'intel') serveLocalFlushes(vcpu);
    kvm.trace.emit('kvm_nested_vmexit_inject', { reason: reflected.reason, ...exitFields(reflected.info) });
    this.reflected = reflected;
    this.control = this.pending = null;
    vcpu.registers = parts.registers;
    vcpu.mmu = vcpu.walkMmu = vcpu.rootMmu;
    this.loadHypervisor(control);
  }

  /** load_vmcs12_host_state, as far as the MMU is concerned. */
  private loadHypervisor(control: Control | null): void {
    this.vcpu.rip = this.returnRip;
    initMmu(this.vcpu);
    newPgd(this.vcpu);
    this.flushOnTransition(false, control);
  }

  /** Hand the #PF that waits to L1, as the exit that it asked for. */
  leaveByPageFault(): void {
    if (this.pending === null) return;
    const { errorCode, lo, hi } = this.pending;
    const intel = this.vcpu.parts.vendor === 'intel';
    const info: ExitInfo = intel
      ? { ...NO_INFO, info1Lo: lo, info1Hi: hi, intrInfo: INTR_INFO_PF, errorCode }
      : { ...NO_INFO, info1Lo: errorCode, info2Lo: lo, info2Hi: hi };
    this.leave({ reason: intel ? VmxExit.EXCEPTION_NMI : SvmExit.PF_EXCP, info, gpaLo: 0, gpaHi: 0 });
  }

  /**
   * A walk failed. When L1's tables for L2 are to blame, L1 gets an EPT violation, EPT misconfiguration or nested page fault
   * (nested_ept_inject_page_fault, nested_svm_inject_npf_exit).
   *
   * @returns the walk's error code; null: they are not
   */
  takeWalkFault(mmu: MmuContext, status: number): number | null {
    if (mmu !== this.guestMmu && !(mmu === this.nestedMmu && status === Walk.below)) return null;
    const { walker } = mmu === this.guestMmu ? mmu : this.stage;
    const { errorCode, inLo, inHi } = walker;
    if ((errorCode & PageFault.present) !== 0 && (errorCode & PageFault.reserved) === 0) {
      invalidateGuestAddress(this.vcpu, this.guestMmu, inLo, inHi, false);
    }
    this.leave(this.vcpu.parts.vendor === 'intel' ? this.asEptExit(walker) : this.asNestedPageFault(walker));
    return errorCode;
  }

  private asEptExit(walker: Walker): Reflected {
    const { inLo: gpaLo, inHi: gpaHi, access } = walker;
    if (walker.status === Walk.pmlFull) return { reason: VmxExit.PML_FULL, info: NO_INFO, gpaLo, gpaHi };
    this.invalidateCached(gpaLo, gpaHi);
    const { vcpu } = this;
    if (walker.status === Walk.reserved)
      return { reason: VmxExit.EPT_MISCONFIG, info: { ...NO_INFO, info1Lo: vcpu.exitQualification }, gpaLo, gpaHi };
    const what = access & ACCESS_WHAT;
    vcpu.exitQualification =
      ((access & ACCESS_USER) !== 0 ? Qualification.read : 0) |
      (what === ACCESS_WRITE ? Qualification.write : 0) |
      (what === ACCESS_FETCH ? Qualification.fetch : 0) |
      (walker.rights & HOST_ALL) |
      (vcpu.exitQualification & (Qualification.linearValid | Qualification.final));
    return { reason: VmxExit.EPT_VIOLATION, info: { ...NO_INFO, info1Lo: vcpu.exitQualification }, gpaLo, gpaHi };
  }

  private asNestedPageFault({ errorCode, inLo, inHi }: Walker): Reflected {
    const { reason, info } = this.vcpu.lastExit;
    const own = reason === (SvmExit.NPF as number) ? info : { ...NO_INFO, info1Hi: 1, info2Lo: inLo, info2Hi: inHi };
    return { reason: SvmExit.NPF, info: { ...own, info1Lo: errorCode }, gpaLo: own.info2Lo, gpaHi: own.info2Hi };
  }

  /** Roots of the same EPT in the cache share its translations (nested_ept_invalidate_addr). */
  private invalidateCached(lo: number, hi: number): void {
    const { kvm } = this.vcpu;
    for (const root of this.guestMmu.roots.previous) {
      if (root.hpa >= 0 && samePage(root.pgdLo, root.pgdHi, this.rootLo, this.rootHi)) invalidateAddress(kvm, this.guestMmu, root, lo, hi);
    }
  }

  /** Translations that must not survive the change of guests (nested_vmx_transition_tlb_flush, nested_svm_transition_tlb_flush). */
  private flushOnTransition(entry: boolean, control: Control | null): void {
    const { vcpu } = this;
    if (vcpu.parts.vendor === 'amd') {
      vcpu.request('sync');
      vcpu.request('flushCurrent');
      return;
    }
    const vpid = control?.vpid ?? 0;
    if (vpid === 0 || (entry && vpid !== this.lastVpid)) {
      if (vpid !== 0) this.lastVpid = vpid;
      vcpu.request('flushGuest');
    } else if (!vcpu.kvm.tdp && vcpu.parts.vpid === 0) vcpu.request('flushCurrent');
  }

  /** INVVPID by L1, for L2's tag in hardware: of an address (type 0), or of all (vpid_sync_vcpu_addr, vpid_sync_context). */
  invalidateTag(type: number, lo: number, hi: number): void {
    const { vpid } = this.vcpu.parts;
    if (vpid !== 0) this.invalidations.invvpid(type === 0 ? 0 : 1, vpid + VPID02, lo, hi);
  }

  /** guest_mmu for what L1 uses (kvm_init_shadow_ept_mmu, kvm_init_shadow_npt_mmu). */
  private shadowTables({ context, rootLo, rootHi, pml }: Control): void {
    const { vcpu, guestMmu } = this;
    const { kvm, parts } = vcpu;
    const log = pml === null ? null : new NestedPml(kvm, pml);
    const format = context.second!;
    const role = withAccess(withLevel(Role.guestMode, format.levels), ACC_ALL);
    const nx = !format.ept && (parts.registers.lo(Register.efer) & Efer.nxe) !== 0 ? Role.eferNx : 0;
    const cpuRole = role | (format.ept ? (format.accessed === 0 ? Role.adDisabled : 0) : nx);
    const levels = format.ept ? format.levels : kvm.tdpLevels;
    const rootRole = withLevel(cpuRole, levels) | (levels > format.levels ? Role.passthrough : 0);
    guestMmu.init({ role: cpuRole, extended: 0, format, pgdLo: rootLo, pgdHi: rootHi }, rootRole);
    for (const { walker } of [guestMmu, this.stage]) {
      walker.use(format, rootLo, rootHi);
      walker.policy = format.ept ? 0 : Policy.nxe;
      walker.pml = log;
    }
  }
}

/** Two root registers name the same table. */
export function samePage(lo: number, hi: number, otherLo: number, otherHi: number): boolean {
  return ((lo ^ otherLo) & ~0xfff) === 0 && hi === otherHi;
}

function copyFirstStage(from: Context, to: Context): void {
  const { first, rootLo, rootHi, pdptes, firstStage, policy, keys, pkru, pkrs, globalPages, pcid } = from;
  Object.assign(to, { first, rootLo, rootHi, pdptes, firstStage, policy, keys, pkru, pkrs, globalPages, pcid });
}
