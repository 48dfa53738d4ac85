/** A vCPU of the host's KVM: the way into its guest and out of it (x86.c: vcpu_enter_guest; vmx.c: vmx_vcpu_run; svm.c). */
import { exitReasonName } from '../exit-names';
import { LocalFlush, UserExit } from '../../journal/enumerations';
import { Register } from '../../vcpu/registers';
import type { ControlField } from '../../program';
import { loadRoot } from '../contexts/load-roots';
import { NO_ROOT, type Root } from '../contexts/roots';
import { drainPml } from '../logging/pml';
import { Role } from '../pages/role';
import { exitFields, INTR_INFO_PF, type ExitInfo } from '../trace';
import { flushTlb } from './flush-tlb';
import { useShadowTables, useTdp } from './hardware';
import { DEAD, SHUTDOWN, type Completion } from './instruction';
import type { KvmVcpu } from './kvm-vcpu';
import { serveRequests } from './serve-requests';
import { pgdOf, syncRoots } from './vcpu-mmu';
import type { VcpuMode } from './vcpu-mode';

const EIO = 5;
/** Loads of a root at one entry, more than are ever needed. */
const MOST_ROUNDS = 4;

export class PlainMode implements VcpuMode {
  readonly level: 1 | 2 = 1;
  readonly script = null;
  private loadedRoot = -1;

  constructor(protected readonly vcpu: KvmVcpu) {}

  get below(): KvmVcpu {
    return this.vcpu;
  }

  /** The root by which its guest itself runs, also while the guest of that does. */
  get root(): Root {
    const { vcpu } = this;
    const { current, previous } = vcpu.rootMmu.roots;
    if (!vcpu.guestMode || vcpu.nested) return current;
    const own = (root: Root): boolean => root.page !== null && (root.page.role & Role.guestMode) === 0;
    return own(current) ? current : (previous.find(own) ?? NO_ROOT);
  }

  get root12(): Root | null {
    return null;
  }

  /** Requests in KVM's order, then the root, then an exception that waits. */
  enter(): Completion | null {
    const { vcpu } = this;
    if (vcpu.inGuest) return null;
    const { kvm, parts, processor, guests } = vcpu;
    if (kvm.dead) return DEAD;
    const asleep = processor.wake?.() ?? null;
    if (asleep !== null) return asleep;
    kvm.trace.journal.actor = parts.actor;
    serveRequests(vcpu);
    const injected = vcpu.takeInjected();
    const event = injected ?? guests.takeEvent();
    if (injected !== null) {
      kvm.trace.emit('kvm_inj_exception', { vector: 14, error_code: injected.errorCode, cr2: injected });
      vcpu.registers.set(Register.cr2, injected.lo, injected.hi);
    }
    // What is asked for meanwhile makes KVM turn round before the guest is entered (kvm_vcpu_exit_request).
    for (let rounds = 0; rounds < MOST_ROUNDS && (vcpu.mmu.roots.current.hpa < 0 || vcpu.requests.pending); rounds++) {
      if (vcpu.mmu.roots.current.hpa < 0) {
        const { lo, hi } = pgdOf(vcpu);
        const root = loadRoot(kvm, vcpu.mmu, lo, hi);
        if (root === null) return { kind: 'error', errno: 'ENOSPC', why: 'no shadow page can be had for a root' };
        if (root === 'outside') return this.tripleFault();
        vcpu.mmu.roots.current = root;
        this.loadedRoot = root.hpa;
        syncRoots(vcpu);
        flushTlb(vcpu, LocalFlush.current);
      }
      serveRequests(vcpu);
    }
    this.noteRoot();
    kvm.trace.emit('kvm_entry', {
      vcpu: parts.index,
      rip: vcpu.rip,
      intr_info: event === null ? 0 : INTR_INFO_PF,
      error_code: event?.errorCode ?? 0,
      guest_mode: vcpu.guestMode,
    });
    this.loadHardware();
    if (parts.vpid === 0 && vcpu.tlbOn) processor.invalidations.transition();
    const failed = processor.launch?.(injected) ?? null;
    if (failed !== null) return failed;
    vcpu.inGuest = true;
    parts.activity.entered(vcpu);
    return null;
  }

  /** What runs cannot go on (KVM_REQ_TRIPLE_FAULT): a hypervisor gets its guest's exit, and user space a guest's. */
  private tripleFault(): Completion | null {
    const { kvm, guests } = this.vcpu;
    if (guests.takeTripleFault()) return this.enter();
    kvm.trace.emit('kvm_userspace_exit', { reason: UserExit.shutdown, gpa: 0, errno: 0 });
    return SHUTDOWN;
  }

  /** KVM_BUG_ON(nested_run_pending): KVM_RUN fails, now and ever after. */
  private die(): void {
    const { kvm } = this.vcpu;
    if (kvm.dead) return;
    kvm.dead = true;
    kvm.trace.emit('kvm_userspace_exit', { reason: UserExit.unknown, gpa: 0, errno: EIO });
  }

  /** kvm_exit */
  exited(reason: number, info: ExitInfo): void {
    const { vcpu } = this;
    const { kvm, parts, processor, guestMode } = vcpu;
    processor.stop?.(reason, info);
    kvm.trace.journal.actor = parts.actor;
    vcpu.inGuest = false;
    vcpu.lastExit = { reason, info };
    // What an L1 sees as exits of its guests are part of exits to the host.
    if (this.level === 1) parts.activity.exited(exitReasonName(parts.vendor, reason));
    const said = { reason, ...exitFields(info), rip: vcpu.rip, vcpu: parts.index, guest_mode: guestMode };
    kvm.trace.emit('kvm_exit', said);
    if (guestMode) kvm.trace.emit('kvm_nested_vmexit', said);
    if (vcpu.guests.entryPending) this.die();
    if (kvm.pmlActive) drainPml(kvm, parts);
    if (parts.vpid === 0 && vcpu.tlbOn) processor.invalidations.transition();
  }

  loadHardware(): void {
    const { vcpu } = this;
    const { mmu, kvm, context, registers, parts, guests, guestMode } = vcpu;
    const { current } = mmu.roots;
    context.vpid = guests.tagOf(parts.vpid);
    registers.set(Register.vpid, guests.vpidOf(parts.vpid), 0);
    if (guestMode) guests.loadGuest(current);
    else if (kvm.tdp) useTdp(vcpu, current);
    else useShadowTables(vcpu, current);
    context.pml = kvm.pmlActive && !guestMode && registers.lo(Register.pmlAddress) !== 0 ? vcpu.pml : null;
    vcpu.processor.enter(context);
  }

  field(_name: ControlField): bigint | null {
    return null;
  }

  /** A root that is known already takes the place of another. */
  private noteRoot(): void {
    const { kvm, mmu } = this.vcpu;
    const { hpa, level, pgdLo, pgdHi } = mmu.roots.current;
    if (hpa === this.loadedRoot) return;
    this.loadedRoot = hpa;
    kvm.trace.emit('kvm_load_root', { root: hpa, pgd: { lo: pgdLo, hi: pgdHi }, level });
  }
}
