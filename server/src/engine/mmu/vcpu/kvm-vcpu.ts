/**
 * One vCPU as its hypervisor keeps it (struct kvm_vcpu): contexts, requests, where its guest is. What is done with it stands in
 * the files beside this one; what depends on who its hypervisor is, in its mode.
 */
import { Actor, STAGE_GUEST } from '../../journal/events';
import { Cr4, RFLAGS_AC } from '../../vcpu/control-registers';
import { PmlLog } from '../../vcpu/pml-log';
import { Context } from '../../vcpu/processor-context';
import { Register, type Registers } from '../../vcpu/registers';
import { SvmExit, VmxExit } from '../../x86/exit-reasons';
import { MemslotStage } from '../contexts/memslot-stage';
import { MmuContext } from '../contexts/mmu-context';
import { softwareWalker } from '../contexts/software-walker';
import type { FaultingVcpu } from '../faults/faulting-vcpu';
import { MmioCache } from '../faults/mmio-cache';
import type { Kvm, VcpuRequests } from '../pages/kvm';
import { syncPage } from '../soft/sync-page';
import { NO_INFO, type ExitInfo, type InjectedFault } from '../trace';
import type { Cpu } from './cpu';
import { NO_GUESTS, type GuestHypervisor } from './guest-hypervisor';
import { injectWalkFault } from './inject';
import type { Completion, Instruction } from './instruction';
import { PlainMode } from './plain-mode';
import { Requests, type Request } from './requests';
import { initMmu } from './vcpu-mmu';
import type { VcpuMode } from './vcpu-mode';
import type { VcpuParts } from './vcpu-parts';

export class KvmVcpu implements VcpuRequests, FaultingVcpu {
  readonly kvm: Kvm;
  readonly mode: VcpuMode;
  readonly processor: Cpu;
  readonly context = new Context();
  /** Of the guest that runs: of its own, or, while its guest's guest runs, as VM entry loaded them. */
  registers: Registers;
  readonly rootMmu: MmuContext;
  /** The context by whose tables hardware runs, and the one by which the emulator walks. */
  mmu: MmuContext;
  walkMmu: MmuContext;
  readonly mmio: MmioCache;
  readonly pml: PmlLog;
  readonly requests = new Requests();
  /** What is kept when its guest is a hypervisor itself. */
  guests: GuestHypervisor = NO_GUESTS;
  writeFaultToShadowTable = false;
  /** Instruction whose protected target was given up last (last_retry_eip, last_retry_addr). */
  lastRetry: { readonly rip: number; readonly lo: number; readonly hi: number } | null = null;
  /** What the guest is at. */
  instruction: Instruction | null = null;
  /** Where it is: RIP of the instruction under way; past it when the hypervisor has carried it out. */
  rip = 0;
  /**
   * Of the last EPT violation, or of the last walk of a guest's EPT that failed by its rights: what a nested exit reports, of an
   * EPT misconfiguration too (vcpu->arch.exit_qualification).
   */
  exitQualification = 0;
  /** The exit that is being handled. */
  lastExit: { readonly reason: number; readonly info: ExitInfo } = { reason: 0, info: NO_INFO };
  /** Hardware runs the guest: no exit is being handled. */
  inGuest = false;
  private injected: InjectedFault | null = null;

  constructor(
    readonly parts: VcpuParts,
    mode: (vcpu: KvmVcpu) => VcpuMode = (vcpu) => new PlainMode(vcpu),
  ) {
    const { kvm, physical } = parts;
    this.kvm = kvm;
    this.mode = mode(this);
    this.registers = parts.registers;
    this.processor = parts.processor;
    this.mmio = new MmioCache(() => kvm.guest.slots.generation());
    this.pml = new PmlLog(physical, parts.registers);
    const walker = softwareWalker(kvm, physical, parts.hardware.four, STAGE_GUEST, new MemslotStage(kvm));
    this.rootMmu = this.mmu = this.walkMmu = new MmuContext(kvm, walker, syncPage);
    kvm.vcpus.push(this);
    initMmu(this);
  }

  /** Its guest's guest runs (is_guest_mode). */
  get guestMode(): boolean {
    return this.guests.guestMode;
  }

  get nested(): boolean {
    return this.guests.nested;
  }

  /** Who its guest is. */
  get guest(): Actor {
    return this.mode.level === 1 ? Actor.L1 : Actor.L2;
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

  get tlbOn(): boolean {
    return this.parts.tlbOn;
  }

  /** Contexts that have roots. */
  get contexts(): readonly MmuContext[] {
    return [this.rootMmu, ...this.guests.contexts];
  }

  requestTlbFlush(): void {
    this.request('flushAll');
  }

  requestFreeObsoleteRoots(): void {
    this.request('freeObsoleteRoots');
  }

  request(what: Request): void {
    this.requests.make(what);
    this.kick();
  }

  /** Out of the guest, when it runs: an interrupt from another processor. */
  kick(): void {
    if (!this.inGuest) return;
    this.parts.activity.interrupt(this);
    this.exited(this.parts.vendor === 'intel' ? VmxExit.EXTERNAL_INTERRUPT : SvmExit.INTR, NO_INFO);
  }

  /** Into the guest. @returns why it cannot be */
  enter(): Completion | null {
    return this.mode.enter();
  }

  /** The processor is back in the hypervisor. */
  exited(reason: number, info: ExitInfo): void {
    this.mode.exited(reason, info);
  }

  injectWalkFault(mmu: MmuContext, lo: number, hi: number, status: number, also = 0): number {
    return injectWalkFault(this, mmu, lo, hi, status, also);
  }

  /** A #PF of the guest that waits for the next entry. */
  inject(fault: InjectedFault): void {
    this.injected = fault;
  }

  /** The fault that waited, which is delivered now. */
  takeInjected(): InjectedFault | null {
    const { injected } = this;
    this.injected = null;
    return injected;
  }

  /** The fault that waits to be delivered, as the guest will see it. */
  get pendingFault(): Completion | null {
    const { injected } = this;
    return injected === null ? null : { kind: 'page-fault', error: injected.errorCode, lo: injected.lo, hi: injected.hi };
  }
}
