/**
 * The processor as a hypervisor in a guest has it: the vCPU of the hypervisor below. What its guest does runs in hardware; an
 * exit goes to the hypervisor below first, which handles it or hands it on (§7.1). Entries, and invalidations by the
 * hypervisor itself, are instructions of its own that exit.
 */
import { high, join, low } from '../../bits';
import { Actor } from '../../journal/events';
import type { Context } from '../../vcpu/processor-context';
import { Outcome } from '../../vcpu/processor';
import { Register } from '../../vcpu/registers';
import { SvmExit, VmxExit } from '../../x86/exit-reasons';
import { Qualification } from '../../x86/fault-codes';
import type { Cpu } from '../vcpu/cpu';
import { handleOutcome } from '../exits/handle-exit';
import { exitedByPageFault } from '../exits/page-fault-exit';
import type { GuestActs } from '../guest/guest-acts';
import { SHUTDOWN, type Completion, type Handled, type Instruction } from '../vcpu/instruction';
import type { KvmVcpu } from '../vcpu/kvm-vcpu';
import { Role } from '../pages/role';
import { NO_ROOT, type Root } from '../contexts/roots';
import { NO_INFO, type ExitInfo, type InjectedFault } from '../trace';
import { gpaByShadow } from '../contexts/shadow-walk';
import { HOST_RIP } from './control-fields';
import type { Reflected } from './control-structure';
import type { GuestControl } from './guest-control';
import type { L1 } from './l1';
import { NestedInvalidations } from './nested-invalidations';
import type { FailedEntry, Nesting } from './nested-state';
import { StageBelow } from './stage-below';

/** More exits to the hypervisor below than any access needs. */
const MOST_EXITS = 512;
/** Bit of an exit reason: VM entry has failed (SDM vol. 3C, "Basic VM-Exit Information"). */
const FAILED_VM_ENTRY = 0x8000_0000;
/** Bytes of VMREAD, VMWRITE and the like. */
const VMX_INSTRUCTION = 3;

export class NestedCpu implements Cpu {
  completion: Completion | null = null;
  gpa = 0;
  reached = 0;
  errorCode = 0;
  qualification = 0;
  exitInfo1Lo = 0;
  exitInfo1Hi = 0;
  exitGpaLo = 0;
  exitGpaHi = 0;
  readonly references = 0;
  readonly second = new StageBelow(this);
  readonly invalidations: NestedInvalidations;

  /**
   * @param l1 where the hypervisor runs
   * @param acts of its vCPU that this is
   * @param control what the hypervisor has its guest run by
   * @param accesses reads and writes of the control structure that exit, for each exit that the hypervisor handles
   */
  constructor(
    private readonly l1: L1,
    private readonly acts: GuestActs,
    readonly nesting: Nesting,
    readonly control: GuestControl,
    private readonly accesses: { readonly reads: number; readonly writes: number },
  ) {
    this.invalidations = new NestedInvalidations(this);
  }

  /** vCPU of the hypervisor below, whose guest this hypervisor is. */
  get below(): KvmVcpu {
    return this.acts.vcpu;
  }

  /** The vCPU that runs on this one. */
  get guest(): KvmVcpu {
    return this.control.guest;
  }

  /** The guest is what runs on the processor now. */
  get running(): boolean {
    return this.nesting.control === this.control;
  }

  get host(): number {
    return this.below.processor.host;
  }

  /** The root of the hypervisor below by which the guest runs, or would without further ado. */
  get root(): Root {
    const { below, nesting, guest } = this;
    if (this.running) return below.mmu.roots.current;
    const { current, previous } = guest.kvm.tdp ? nesting.guestMmu.roots : below.rootMmu.roots;
    const [lo, hi] = guest.kvm.tdp
      ? [this.control.rootLo, this.control.rootHi]
      : [guest.registers.lo(Register.hwCr3), guest.registers.hi(Register.hwCr3)];
    const fits = ({ hpa, page, pgdLo, pgdHi }: Root): boolean => {
      if (hpa < 0 || page === null) return false;
      const own = (page.role & Role.guestMode) !== 0 || below.kvm.options.shareEptRoot;
      return own && (page.direct || (pgdLo === lo && pgdHi === hi));
    };
    return [current, ...previous].find(fits) ?? NO_ROOT;
  }

  // Cpu

  enter(context: Context): void {
    this.control.context = context;
    if (this.running) this.nesting.reload();
  }

  wake(): Completion | null {
    return this.run();
  }

  launch(event: InjectedFault | null): Completion | null {
    const amd = this.below.parts.vendor === 'amd';
    return this.execEntry(amd ? SvmExit.VMRUN : this.control.launched ? VmxExit.VMRESUME : VmxExit.VMLAUNCH, event);
  }

  /** VM entry by this instruction's exit. @returns why the guest does not run */
  execEntry(instruction: VmxExit | SvmExit, event: InjectedFault | null): Completion | null {
    const { below, nesting, l1, control } = this;
    const stopped = this.run();
    if (stopped !== null) return stopped;
    if (l1.memory.lost) {
      l1.memory.lost = false;
      return LOST;
    }
    control.event = event;
    below.exited(instruction, NO_INFO);
    const failure = nesting.enter(control, instruction);
    if (failure !== null) return below.enter() ?? this.failedEntry(failure);
    control.launched = true;
    this.guestRuns();
    return this.reenter();
  }

  /** The hypervisor below goes on, to the guest; why not, or null. */
  reenter(): Completion | null {
    return this.below.enter() ?? this.shutDown();
  }

  /** The guest could not go on as it was entered, and the hypervisor has its exit; null: it runs. */
  private shutDown(): Completion | null {
    if (this.running) return null;
    const stopped = this.run();
    if (stopped !== null) return stopped;
    const { reason, info } = this.nesting.reflected!;
    return this.guest.mode.script === null ? SHUTDOWN : { kind: 'vm-exit', reason, info, gpa: null };
  }

  /** VMfailValid, an exit by invalid guest state, or VMEXIT_INVALID. */
  private failedEntry({ by, number, why }: FailedEntry): Completion {
    if (by === 'instruction') return { kind: 'error', errno: 'VMfailValid', why, vmInstructionError: number };
    const reason = this.below.parts.vendor === 'amd' ? SvmExit.INVALID : FAILED_VM_ENTRY + VmxExit.INVALID_STATE;
    return { kind: 'vm-exit', reason, info: { ...NO_INFO, info1Lo: number }, gpa: null };
  }

  stop(reason: number, info: ExitInfo): void {
    const { below, nesting } = this;
    if (this.running) {
      below.exited(reason, info);
      nesting.leave({ reason, info, gpaLo: 0, gpaHi: 0 });
      this.run();
    }
    const { reads, writes } = this.accesses;
    for (let i = 0; i < reads + writes; i++) this.execute(i < reads ? VmxExit.VMREAD : VmxExit.VMWRITE);
  }

  /**
   * The hypervisor executes an instruction that exits.
   *
   * @param emulate what the hypervisor below does for it
   * @returns why it does not go on; null: it does
   */
  execute(reason: number, emulate: () => void = () => undefined): Completion | null {
    const { below } = this;
    const { journal } = below.kvm.trace;
    const { actor } = journal;
    let stopped = this.run();
    if (stopped === null) {
      below.exited(reason, NO_INFO);
      emulate();
      below.rip += VMX_INSTRUCTION;
      stopped = below.enter();
    }
    journal.actor = actor;
    return stopped;
  }

  /** The hypervisor does something that no exit comes of. */
  hypervisor(act: () => void): Completion | null {
    const { journal } = this.below.kvm.trace;
    const { actor } = journal;
    const stopped = this.run();
    if (stopped === null) {
      journal.actor = Actor.L1;
      act();
    }
    journal.actor = actor;
    return stopped;
  }

  /** The hypervisor stores to its own memory. */
  touch(gpa: number, value: bigint): Completion {
    return this.run() ?? this.acts.kernel.run({ kind: 'write', gpa, size: 8, value, rip: HOST_RIP });
  }

  /** What exits next is the guest's doing. */
  guestRuns(): void {
    this.below.instruction = this.guest.instruction;
    this.below.rip = this.guest.rip;
  }

  /** Let the hypervisor run on its vCPU: another guest of it that is in hardware leaves. */
  private run(): Completion | null {
    const { below, nesting } = this;
    if (!this.running) nesting.stopGuest();
    below.instruction = HYPERVISOR;
    if (this.guest.mode.script === null) below.rip = HOST_RIP;
    this.l1.memory.on = this.acts;
    return below.enter();
  }

  access(lo: number, hi: number, access: number): Outcome {
    const { below } = this;
    const { processor, kvm } = below;
    this.guestRuns();
    for (let exits = 0; exits < MOST_EXITS; exits++) {
      const failed = this.reenter();
      if (failed !== null) return this.carried(failed);
      kvm.trace.journal.actor = Actor.processor;
      const outcome = processor.access(lo, hi, access);
      if (outcome === Outcome.ok) this.locate(lo, hi);
      if (outcome === Outcome.ok || outcome === Outcome.generalProtection) return outcome;
      if (outcome === Outcome.pageFault && kvm.tdp) return this.pageFault(lo, hi);
      const seen = this.seen(handleOutcome(below, outcome, lo, hi));
      if (seen === null) continue;
      if (seen === Outcome.carriedOut) this.completion = this.asOfGuest(this.completion!, lo, hi);
      return seen;
    }
    return this.carried({ kind: 'error', errno: 'ELOOP', why: 'the guest faults again and again in the hypervisor below' });
  }

  /**
   * A #PF by tables that the guest runs by, above a hard MMU. Who gets it is for the hypervisor's control structure to say: where that
   * is what a KVM with its kind of MMU would have, nothing more is to be done.
   */
  private pageFault(lo: number, hi: number): Outcome {
    const { guest, control } = this;
    const errorCode = (this.errorCode = this.below.processor.errorCode);
    const intercepted = control.interceptsPageFault(errorCode);
    if (intercepted !== guest.kvm.tdp) return Outcome.pageFault;
    if (!intercepted) return this.carried({ kind: 'page-fault', error: errorCode, lo, hi });
    exitedByPageFault(guest, errorCode, lo, hi);
    return this.carried(guest.mode.script!.exit());
  }

  /** What the access reached: in the guest's space as the tables in hardware have it, and in the hypervisor's own. */
  private locate(lo: number, hi: number): void {
    const { below } = this;
    const { processor, kvm } = below;
    const { current } = below.mmu.roots;
    if (!kvm.tdp) this.gpa = this.reached = gpaByShadow(kvm, current, lo, hi, processor.gpa) ?? -1;
    else {
      const { gpa, host } = processor;
      this.gpa = gpa;
      this.reached = this.control.context.second === null ? gpa : (gpaByShadow(kvm, current, low(gpa), high(gpa), host) ?? -1);
    }
  }

  failedBelow(): Outcome {
    return this.second.outcome;
  }

  caches(lo: number, hi: number): boolean {
    return this.running && this.below.processor.caches(lo, hi);
  }

  /** What the hypervisor sees of an exit that the one below has handled; null: nothing, its guest goes on. */
  seen(handled: Handled): Outcome | null {
    const { below, nesting } = this;
    if (nesting.pending !== null) nesting.leaveByPageFault();
    if (!this.running) {
      const failed = this.run();
      return failed !== null ? this.carried(failed) : this.take(nesting.reflected!);
    }
    if (handled.kind === 'done') return this.carried(below.enter() ?? handled.completion);
    const { pendingFault } = below;
    const failed = this.reenter();
    if (failed !== null) return this.carried(failed);
    return pendingFault === null ? null : this.carried(pendingFault);
  }

  /** The hypervisor below has emulated the guest's access: guest-physical to it is an address of the hypervisor's own memory. */
  private asOfGuest(completion: Completion, lo: number, hi: number): Completion {
    if (completion.kind !== 'ok' || completion.gpa === null) return completion;
    const { kvm, mmu } = this.guest;
    const { exitGpaLo, exitGpaHi, qualification, exitInfo1Hi } = this.below.processor;
    const final = kvm.format.ept ? (qualification & Qualification.final) !== 0 : (exitInfo1Hi & 1) !== 0;
    const at = completion.gpa;
    const gpa = kvm.tdp ? (final ? join(exitGpaLo, exitGpaHi) : null) : gpaByShadow(kvm, mmu.roots.current, lo, hi, at);
    return { ...completion, gpa, at };
  }

  /** The access is over for the processor: a hypervisor has carried it out, or it has failed. */
  carried(completion: Completion): Outcome {
    this.completion = completion;
    return Outcome.carriedOut;
  }

  /** The exit's information, as L1 reads it from its control structure. */
  private take({ reason, info, gpaLo, gpaHi }: Reflected): Outcome {
    this.exitGpaLo = gpaLo;
    this.exitGpaHi = gpaHi;
    if (this.below.parts.vendor === 'amd') {
      this.exitInfo1Lo = this.errorCode = info.info1Lo;
      this.exitInfo1Hi = info.info1Hi;
      return reason === (SvmExit.NPF as number) ? Outcome.nestedPageFault : Outcome.pageFault;
    }
    this.errorCode = info.errorCode;
    this.qualification = info.info1Lo;
    if (reason === (VmxExit.EPT_MISCONFIG as number)) return Outcome.eptMisconfig;
    if (reason === (VmxExit.PML_FULL as number)) return Outcome.pmlFull;
    return reason === (VmxExit.EPT_VIOLATION as number) ? Outcome.eptViolation : Outcome.pageFault;
  }
}

const LOST: Completion = { kind: 'error', errno: 'KVM_INTERNAL_ERROR', why: 'the hypervisor in the guest has lost its own memory' };

/** Any instruction of the hypervisor's exit handler. */
const HYPERVISOR: Instruction = {
  kind: 'read',
  lo: 0,
  hi: 0,
  size: 8,
  user: false,
  implicit: false,
  ac: false,
  valueLo: 0,
  valueHi: 0,
  rip: HOST_RIP,
};
