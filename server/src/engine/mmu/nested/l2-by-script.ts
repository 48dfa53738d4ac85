/**
 * The vCPU of a guest's guest whose hypervisor, an L1, is played by the script: it runs when the script enters it, by the tables
 * that the script's control structure names, until an exit that the L1 gets. What L1 intercepts is what KVM would with the same
 * kind of MMU.
 */
import { high, highOf, join, low, lowOf, toBigInt } from '../../bits';
import type { ControlField } from '../../program';
import { useGuestRegisters } from '../../vcpu/guest-context';
import { Register } from '../../vcpu/registers';
import { SvmExit, VmxExit } from '../../x86/exit-reasons';
import { Policy } from '../../x86/permissions';
import { useShadowTables } from '../vcpu/hardware';
import { NO_ROOT, type Root } from '../contexts/roots';
import { DONE, type Completion } from '../vcpu/instruction';
import type { KvmVcpu } from '../vcpu/kvm-vcpu';
import type { HypervisorByScript, VcpuMode, VmEntry } from '../vcpu/vcpu-mode';
import type { ExitInfo } from '../trace';
import type { NestedCpu } from './nested-cpu';

const EPTP_ATTRIBUTES = 0x1e;
const EPTP_AD = 1 << 6;
const NOT_ENTERED: Completion = { kind: 'error', errno: 'EAGAIN', why: 'the guest does not run: its hypervisor has to enter it' };

/** Where a field lies in a VMCB. */
const VMCB_OFFSETS: { readonly [field in ControlField]?: number } = { asid: 0x58, tlb_control: 0x5c, ncr3: 0xb0, cr3: 0x550 };

export class L2ByScript implements VcpuMode, HypervisorByScript {
  readonly level = 2;
  readonly script = this;
  readonly root12 = null;
  private rootLo: number;
  private rootHi: number;

  /** @param root of EPT, nested or shadow tables in L1's memory */
  constructor(
    private readonly vcpu: KvmVcpu,
    private readonly cpu: NestedCpu,
    root: number,
  ) {
    const { second } = vcpu.parts.hardware;
    const attributes = second?.ept ? EPTP_ATTRIBUTES | (second.accessed !== 0 ? EPTP_AD : 0) : 0;
    this.rootLo = low(root) | attributes;
    this.rootHi = high(root);
  }

  get below(): KvmVcpu {
    return this.cpu.below;
  }

  get root(): Root {
    return this.cpu.root;
  }

  /** The guest runs only when the script has entered it. */
  enter(): Completion | null {
    return this.cpu.running ? null : NOT_ENTERED;
  }

  exited(reason: number, info: ExitInfo): void {
    this.vcpu.inGuest = false;
    this.cpu.stop(reason, info);
    this.vcpu.lastExit = { reason, info };
  }

  exit(): Completion {
    const { vcpu, cpu } = this;
    const { reflected } = cpu.nesting;
    const { reason, info } = reflected ?? vcpu.lastExit;
    const at = reflected === null ? 0 : join(reflected.gpaLo, reflected.gpaHi);
    const second =
      reason === (vcpu.parts.vendor === 'amd' ? SvmExit.NPF : VmxExit.EPT_VIOLATION) || reason === (VmxExit.EPT_MISCONFIG as number);
    return { kind: 'vm-exit', reason, info, gpa: second ? at : null };
  }

  vmEntry(instruction: VmEntry): Completion {
    if (this.cpu.running) return { kind: 'error', errno: 'EBUSY', why: 'the guest runs already' };
    const { trace } = this.vcpu.kvm;
    trace.journal.actor = this.vcpu.parts.actor;
    this.loadHardware(() => trace.journal.dueTo(() => trace.emit('control_write', { address: this.cpu.address })));
    const reason = instruction === 'vmrun' ? SvmExit.VMRUN : instruction === 'vmlaunch' ? VmxExit.VMLAUNCH : VmxExit.VMRESUME;
    const failed = this.cpu.execEntry(reason, null);
    this.vcpu.inGuest = failed === null;
    return failed ?? DONE;
  }

  field(name: ControlField): bigint | null {
    return this.cpu.field(name, toBigInt(this.rootLo, this.rootHi));
  }

  writeField(name: ControlField, value: bigint): Completion {
    const { cpu } = this;
    if (this.vcpu.parts.vendor === 'intel') cpu.execute(VmxExit.VMWRITE, () => this.take(name, value));
    else {
      const offset = VMCB_OFFSETS[name] ?? 0;
      const word = cpu.address + offset - (offset % 8);
      cpu.touch(word, offset % 8 === 0 ? value : value << 32n);
      this.take(name, value);
    }
    return DONE;
  }

  /** The control structure has another value in a field. */
  private take(name: ControlField, value: bigint): void {
    const { cpu } = this;
    const { kvm, registers } = this.vcpu;
    if (name === 'vpid' || name === 'asid') cpu.vpid = Number(value & 0xffffn);
    else if (name === 'cr3' && kvm.tdp) {
      kvm.trace.journal.dueTo(() => kvm.trace.emit('control_write', { address: cpu.address }));
      registers.set(Register.cr3, lowOf(value), highOf(value));
    } else if (name !== 'tlb_control') {
      this.rootLo = lowOf(value);
      this.rootHi = highOf(value);
    }
  }

  /** @param due called before the first register is set: whose doing it is, when not that of the last event */
  loadHardware(due?: () => void): void {
    const { vcpu, rootLo, rootHi } = this;
    const { context, registers, parts, kvm } = vcpu;
    const { hardware } = parts;
    context.vpid = parts.vpid;
    if (!kvm.tdp) {
      const level = vcpu.mmu.guestLevels === 5 ? 5 : vcpu.mmu.guestLevels === 4 ? 4 : 3;
      useShadowTables(vcpu, { ...NO_ROOT, hpa: join(rootLo & ~0xfff, rootHi), level }, due);
    } else {
      useGuestRegisters(context, registers, parts.formats, parts.rules.pdptesInMemory);
      const flags = hardware.second?.ept !== true || (rootLo & EPTP_AD) !== 0;
      context.second = flags ? hardware.second : hardware.secondWithoutAd;
      context.secondRootLo = rootLo;
      context.secondRootHi = rootHi;
      context.secondPolicy = context.second?.ept ? 0 : Policy.nxe;
      due?.();
      registers.set(Register.secondRoot, rootLo, rootHi);
    }
    vcpu.processor.enter(context);
  }
}
