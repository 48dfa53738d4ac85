/**
 * A vCPU of a guest whose hypervisor, an L1, is played by the script: it runs when the script enters it, by the tables that
 * the script's control structure names, until an exit that the L1 gets. What L1 intercepts is what KVM would with the same
 * kind of MMU.
 */
import { high, highOf, join, low, lowOf, toBigInt } from '../../bits';
import type { ControlField } from '../../program';
import { useGuestRegisters } from '../../vcpu/guest-context';
import { Register } from '../../vcpu/registers';
import { SvmExit, VmxExit } from '../../x86/exit-reasons';
import { Policy } from '../../x86/permissions';
import { useShadowTables } from '../vcpu/hardware';
import type { Completion } from '../vcpu/instruction';
import { KvmVcpu } from '../vcpu/kvm-vcpu';
import type { VcpuParts } from '../vcpu/vcpu-parts';
import { NO_ROOT } from '../contexts/roots';
import type { ExitInfo } from '../trace';
import type { NestedCpu } from './nested-cpu';

const EPTP_ATTRIBUTES = 0x1e;
const EPTP_AD = 1 << 6;
const NOT_ENTERED: Completion = { kind: 'error', errno: 'EAGAIN', why: 'the guest does not run: its hypervisor has to enter it' };

/** Where a field lies in a VMCB. */
const VMCB_OFFSETS: { readonly [field in ControlField]?: number } = { asid: 0x58, tlb_control: 0x5c, ncr3: 0xb0, cr3: 0x550 };

export class ScriptedVcpu extends KvmVcpu {
  private rootLo: number;
  private rootHi: number;

  /** @param root of EPT, nested or shadow tables in L1's memory */
  constructor(
    parts: VcpuParts,
    private readonly cpu: NestedCpu,
    root: number,
  ) {
    super(parts);
    const { second } = parts.hardware;
    const attributes = second?.ept ? EPTP_ATTRIBUTES | (second.accessed !== 0 ? EPTP_AD : 0) : 0;
    this.rootLo = low(root) | attributes;
    this.rootHi = high(root);
  }

  override get controlRoot(): bigint {
    return toBigInt(this.rootLo, this.rootHi);
  }

  override readonly scripted = (): Completion => {
    const { reflected } = this.cpu.nesting;
    const { reason, info } = reflected ?? this.lastExit;
    const at = reflected === null ? 0 : join(reflected.gpaLo, reflected.gpaHi);
    const second =
      reason === (this.parts.vendor === 'amd' ? SvmExit.NPF : VmxExit.EPT_VIOLATION) || reason === (VmxExit.EPT_MISCONFIG as number);
    return { kind: 'vm-exit', reason, info, gpa: second ? at : null };
  };

  /** VMLAUNCH, VMRESUME, VMRUN. @returns null: the guest runs */
  entry(instruction: 'vmlaunch' | 'vmresume' | 'vmrun'): Completion | null {
    if (this.cpu.running) return { kind: 'error', errno: 'EBUSY', why: 'the guest runs already' };
    this.loadHardware();
    const reason = instruction === 'vmrun' ? SvmExit.VMRUN : instruction === 'vmlaunch' ? VmxExit.VMLAUNCH : VmxExit.VMRESUME;
    const failed = this.cpu.execEntry(reason, null);
    this.inGuest = failed === null;
    return failed;
  }

  /** The guest runs only when the script has entered it. */
  override enter(): Completion | null {
    return this.cpu.running ? null : NOT_ENTERED;
  }

  override exited(reason: number, info: ExitInfo): void {
    this.inGuest = false;
    this.cpu.stop(reason, info);
    this.lastExit = { reason, info };
  }

  /** Write a field of the control structure. It counts from the next entry on. */
  write(field: ControlField, value: bigint): void {
    const { cpu, kvm, registers } = this;
    if (this.parts.vendor === 'intel') cpu.execute(VmxExit.VMWRITE);
    else {
      const offset = VMCB_OFFSETS[field] ?? 0;
      const word = cpu.address + offset - (offset % 8);
      cpu.touch(word, offset % 8 === 0 ? value : value << 32n);
    }
    if (field === 'vpid' || field === 'asid') cpu.vpid = Number(value & 0xffffn);
    else if (field === 'tlb_control') return;
    else if (field === 'cr3' && kvm.tdp) registers.set(Register.cr3, lowOf(value), highOf(value));
    else {
      this.rootLo = lowOf(value);
      this.rootHi = highOf(value);
    }
  }

  override loadHardware(): void {
    const { context, registers, parts, kvm, rootLo, rootHi } = this;
    const { hardware } = parts;
    context.vpid = parts.vpid;
    if (!kvm.tdp) {
      const level = this.mmu.guestLevels === 5 ? 5 : this.mmu.guestLevels === 4 ? 4 : 3;
      useShadowTables(this, { ...NO_ROOT, hpa: join(rootLo & ~0xfff, rootHi), level });
    } else {
      useGuestRegisters(context, registers, parts.formats, parts.rules.pdptesInMemory);
      const flags = hardware.second?.ept !== true || (rootLo & EPTP_AD) !== 0;
      context.second = flags ? hardware.second : hardware.secondWithoutAd;
      context.secondRootLo = rootLo;
      context.secondRootHi = rootHi;
      context.secondPolicy = context.second?.ept ? 0 : Policy.nxe;
      registers.set(Register.secondRoot, rootLo, rootHi);
    }
    this.processor.enter(context);
  }
}
