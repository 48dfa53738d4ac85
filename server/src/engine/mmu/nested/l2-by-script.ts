/**
 * The vCPU of a guest's guest whose hypervisor, an L1, is played by the script: it runs when the script enters it, by what the
 * script has put into its control structure, until an exit that the L1 gets. What the script has not written stands there as a KVM
 * with the same kind of MMU would have it.
 */
import { high, highOf, join, low, lowOf, toBigInt } from '../../bits';
import type { ControlField } from '../../program';
import { Cr0, Cr4, CR4_VMXE, Efer, policyBits } from '../../vcpu/control-registers';
import { useGuestRegisters } from '../../vcpu/guest-context';
import { Register } from '../../vcpu/registers';
import { SvmExit, VmxExit } from '../../x86/exit-reasons';
import { Policy } from '../../x86/permissions';
import { EPTP_AD, useShadowTables } from '../vcpu/hardware';
import { NO_ROOT, type Root } from '../contexts/roots';
import { DONE, type Completion } from '../vcpu/instruction';
import type { KvmVcpu } from '../vcpu/kvm-vcpu';
import type { HypervisorByScript, Intercepted, VcpuMode, VmEntry } from '../vcpu/vcpu-mode';
import type { ExitInfo } from '../trace';
import {
  ControlFields,
  Entering,
  Exiting,
  isVmcbField,
  isVmcsField,
  PF_BIT,
  Primary,
  Secondary,
  VMCB_FIELDS,
  VMCS_FIELDS,
} from './control-fields';
import { secondaryControls } from './guest-control';
import { intercepts } from './intercepts';
import type { NestedCpu } from './nested-cpu';

const EPTP_ATTRIBUTES = 0x1e;
const NO_FIELD: Completion = { kind: 'error', errno: 'EOPNOTSUPP', why: 'its control structure has no such field' };
const NOT_ENTERED: Completion = { kind: 'error', errno: 'EAGAIN', why: 'the guest does not run: its hypervisor has to enter it' };

/** Controls as a KVM writes them (vmx.c: setup_vmcs_config): what must be 1, exits on interrupts and NMIs. */
const PIN = 0x1f;
const PRIMARY = 0x0400_6172 | Primary.activateSecondary;
const SHADOWING = Primary.invlpgExiting | Primary.cr3LoadExiting | Primary.cr3StoreExiting;
const EXIT = 0x0003_6dfb;
const ENTRY = 0x0000_11fb | Entering.loadEfer;
const NO_LINK = 0xffff_ffff_ffff_ffffn;

/** Guest state, by the register that holds it: the guest's own, and under shadow tables what hardware has. */
const GUEST_STATE = {
  cr0: [Register.cr0, Register.hwCr0],
  cr4: [Register.cr4, Register.hwCr4],
  efer: [Register.efer, Register.hwEfer],
} as const;
type GuestState = keyof typeof GUEST_STATE;

export class L2ByScript implements VcpuMode, HypervisorByScript {
  readonly level = 2;
  readonly script = this;
  readonly root12 = null;
  private readonly fields = new ControlFields((field) => this.unwritten(field));
  /** Guest state that the script has written itself. */
  private readonly written = new Set<GuestState>();

  /**
   * @param root of EPT, nested or shadow tables in L1's memory
   * @param vpid VPID or ASID; 0: none
   * @param shadowing VMWRITE of a field that is shadowed does not exit
   */
  constructor(
    private readonly vcpu: KvmVcpu,
    private readonly cpu: NestedCpu,
    private readonly given: { readonly root: number; readonly vpid: number; readonly shadowing: boolean },
  ) {
    cpu.control.fields = this.fields;
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

  intercepts(what: Intercepted): boolean {
    if (this.vcpu.parts.vendor === 'amd') return !this.vcpu.kvm.tdp;
    return (this.fields.low('primary_controls') & INTERCEPTS[what]) !== 0;
  }

  vmEntry(instruction: VmEntry): Completion {
    if (this.cpu.running) return { kind: 'error', errno: 'EBUSY', why: 'the guest runs already' };
    const beyond = this.beyondShadowTables();
    if (beyond !== null) return { kind: 'error', errno: 'EOPNOTSUPP', why: beyond };
    const { trace } = this.vcpu.kvm;
    trace.journal.actor = this.vcpu.parts.actor;
    this.loadHardware(() => trace.journal.dueTo(() => trace.emit('control_write', { address: this.cpu.control.address })));
    const reason = instruction === 'vmrun' ? SvmExit.VMRUN : instruction === 'vmlaunch' ? VmxExit.VMLAUNCH : VmxExit.VMRESUME;
    const failed = this.cpu.execEntry(reason, null);
    this.vcpu.inGuest = failed === null;
    return failed ?? DONE;
  }

  /** What a hypervisor with shadow tables cannot do here; null: nothing of that. */
  private beyondShadowTables(): string | null {
    const { vcpu, fields } = this;
    if (vcpu.kvm.tdp || vcpu.parts.vendor === 'amd') return null;
    if ((secondaryControls(fields) & Secondary.ept) !== 0) return 'the guest is under soft MMU: no EPT can be enabled for it';
    const intercepted = (fields.low('primary_controls') & SHADOWING) === SHADOWING;
    return intercepted ? null : 'shadow tables need exits on INVLPG and on MOV to and from CR3';
  }

  field(name: ControlField): bigint | null {
    return this.cpu.control.field(name, 0n);
  }

  writeField(name: ControlField, value: bigint): Completion {
    const { cpu } = this;
    const take = (): void => this.take(name, value);
    if (this.vcpu.parts.vendor === 'intel') {
      if (!isVmcsField(name)) return NO_FIELD;
      const shadowed = VMCS_FIELDS[name].shadowed === true && this.given.shadowing;
      return (shadowed ? cpu.hypervisor(take) : cpu.execute(VmxExit.VMWRITE, take)) ?? DONE;
    }
    if (!isVmcbField(name)) return NO_FIELD;
    const word = VMCB_FIELDS[name] - (VMCB_FIELDS[name] % 8);
    const stored = cpu.touch(cpu.control.address + word, VMCB_FIELDS[name] === word ? value : value << 32n);
    if (stored.kind !== 'ok') return stored;
    take();
    return DONE;
  }

  /** The control structure has another value in a field. */
  private take(name: ControlField, value: bigint): void {
    const { kvm } = this.vcpu;
    const register = this.registerOf(name);
    if (register !== null) {
      kvm.trace.journal.dueTo(() => kvm.trace.emit('control_write', { address: this.cpu.control.address }));
      this.vcpu.registers.set(register, lowOf(value), highOf(value));
    } else if (name !== 'tlb_control') this.fields.set(name, value);
    if (isGuestState(name)) this.written.add(name);
  }

  /** The register of the guest that holds a field; null: none does. */
  private registerOf(name: ControlField): Register | null {
    if (name === 'pml_address') return Register.pmlAddress;
    if (name === 'pml_index') return Register.pmlIndex;
    if (!this.vcpu.kvm.tdp) return null;
    return name === 'cr3' ? Register.cr3 : isGuestState(name) ? GUEST_STATE[name][0] : null;
  }

  private unwritten(name: ControlField): bigint {
    const { vcpu, given } = this;
    const { registers, kvm, parts } = vcpu;
    const { second } = parts.hardware;
    const register = this.registerOf(name);
    const intel = parts.vendor === 'intel';
    switch (name) {
      case 'pml_address':
        return registers.value(Register.pmlAddress);
      case 'pml_index':
        return registers.value(Register.pmlIndex);
      case 'cr3':
        return register === null ? BigInt(given.root) : registers.value(register);
      case 'cr0':
        return registers.value(Register.cr0) | (kvm.tdp ? 0n : BigInt((Cr0.pg | Cr0.wp) >>> 0));
      case 'cr4':
        return registers.value(Register.cr4) | BigInt((kvm.tdp ? 0 : Cr4.pae) | (intel && !this.written.has('cr4') ? CR4_VMXE : 0));
      case 'efer':
        return registers.value(Register.efer) | BigInt((kvm.tdp ? 0 : Efer.nxe) | (intel || this.written.has('efer') ? 0 : Efer.svme));
      case 'eptp':
      case 'ncr3': {
        const attributes = second?.ept ? EPTP_ATTRIBUTES | (second.accessed !== 0 ? EPTP_AD : 0) : 0;
        return toBigInt(low(given.root) | attributes, high(given.root));
      }
      case 'vpid':
      case 'asid':
        return BigInt(given.vpid);
      case 'pin_controls':
        return BigInt(PIN);
      case 'primary_controls':
        return BigInt((kvm.tdp ? PRIMARY : PRIMARY | SHADOWING) >>> 0);
      case 'secondary_controls':
        return BigInt((kvm.tdp ? Secondary.ept | Secondary.unrestrictedGuest : 0) | (given.vpid !== 0 ? Secondary.vpid : 0));
      case 'exit_controls':
        return BigInt(EXIT | (this.longMode(this.below) ? Exiting.hostAddressSpace : 0));
      case 'entry_controls':
        return BigInt(ENTRY | (this.longMode(vcpu) ? Entering.ia32e : 0));
      case 'exception_bitmap':
        return kvm.tdp ? 0n : BigInt(PF_BIT);
      case 'intercept_exceptions':
        return BigInt(intercepts(registers, kvm.tdp).exceptions);
      case 'pfec_mask':
      case 'pfec_match':
      case 'tlb_control':
        return 0n;
      case 'link_pointer':
        return NO_LINK;
    }
  }

  private longMode({ registers }: KvmVcpu): boolean {
    return (registers.lo(Register.efer) & Efer.lma) !== 0;
  }

  /** @param due called before the first register is set: whose doing it is, when not that of the last event */
  loadHardware(due?: () => void): void {
    const { vcpu, fields } = this;
    const { context, registers, parts, kvm } = vcpu;
    const { hardware } = parts;
    context.vpid = parts.vpid;
    if (!kvm.tdp) {
      const level = vcpu.mmu.guestLevels === 5 ? 5 : vcpu.mmu.guestLevels === 4 ? 4 : 3;
      const root = fields.value('cr3');
      useShadowTables(vcpu, { ...NO_ROOT, hpa: join(lowOf(root) & ~0xfff, highOf(root)), level }, due);
      this.loadGuestState();
    } else {
      const [root, rootHi] = [fields.value(hardware.second!.ept ? 'eptp' : 'ncr3')].flatMap((value) => [lowOf(value), highOf(value)]);
      useGuestRegisters(context, registers, parts.native.formats, parts.rules.pdptesInMemory);
      const flags = hardware.second?.ept !== true || (root & EPTP_AD) !== 0;
      const nested = parts.vendor === 'amd' || (secondaryControls(fields) & Secondary.ept) !== 0;
      context.second = !nested ? null : flags ? hardware.second : hardware.secondWithoutAd;
      context.secondRootLo = root;
      context.secondRootHi = rootHi;
      context.secondPolicy = context.second?.ept ? 0 : Policy.nxe;
      due?.();
      registers.set(Register.secondRoot, root, rootHi);
    }
    vcpu.processor.enter(context);
  }

  /** Guest state that the script has written counts, with shadow tables, instead of what a KVM would give the processor. */
  private loadGuestState(): void {
    if (this.written.size === 0) return;
    const { fields, vcpu } = this;
    const { registers, context } = vcpu;
    for (const name of this.written) {
      const value = fields.value(name);
      registers.set(GUEST_STATE[name][1], lowOf(value), highOf(value));
    }
    context.policy = policyBits(registers.lo(Register.hwCr0), registers.lo(Register.hwCr4), registers.lo(Register.hwEfer));
  }
}

const INTERCEPTS: { readonly [what in Intercepted]: Primary } = {
  invlpg: Primary.invlpgExiting,
  'mov to cr3': Primary.cr3LoadExiting,
  'mov from cr3': Primary.cr3StoreExiting,
};

function isGuestState(name: ControlField): name is GuestState {
  return Object.hasOwn(GUEST_STATE, name);
}
