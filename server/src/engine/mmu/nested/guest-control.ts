/**
 * What a hypervisor in a guest has put into its control structure for one of its vCPUs: a KVM what its MMU and its guest's
 * registers ask for, a hypervisor that the script plays also what the script has written.
 */
import type { WrittenFields } from '../../journal/event-table';
import { Context } from '../../vcpu/processor-context';
import { Register, type Registers } from '../../vcpu/registers';
import type { ControlField } from '../../program';
import type { KvmVcpu } from '../vcpu/kvm-vcpu';
import type { InjectedFault } from '../trace';
import { isVmcbField, isVmcsField, PF_BIT, Primary, Secondary, type ControlFields } from './control-fields';
import type { Control } from './control-structure';
import { intercepts } from './intercepts';

export class GuestControl implements Control {
  /** The vCPU that runs by it. */
  guest!: KvmVcpu;
  context = new Context();
  event: InjectedFault | null = null;
  fields: ControlFields | null = null;
  launched = false;

  /**
   * @param address guest-physical address of the structure
   * @param givenVpid VPID or ASID that a KVM gives its guest; 0: none
   */
  constructor(
    readonly address: number,
    private readonly givenVpid: number,
  ) {}

  get rootLo(): number {
    return this.guest.registers.lo(Register.secondRoot);
  }

  get rootHi(): number {
    return this.guest.registers.hi(Register.secondRoot);
  }

  get cr3Lo(): number {
    const { registers, kvm } = this.guest;
    return registers.lo(kvm.tdp ? Register.cr3 : Register.hwCr3);
  }

  get cr3Hi(): number {
    const { registers, kvm } = this.guest;
    return registers.hi(kvm.tdp ? Register.cr3 : Register.hwCr3);
  }

  get rip(): number {
    return this.guest.rip;
  }

  get intercepts(): WrittenFields<'kvm_nested_intercepts'> {
    const { fields, guest } = this;
    const asKvm = intercepts(guest.registers, guest.kvm.tdp);
    return fields === null ? asKvm : { ...asKvm, exceptions: fields.low('intercept_exceptions') };
  }

  get nested(): boolean {
    return this.context.second !== null;
  }

  get vpid(): number {
    const { fields } = this;
    if (fields === null) return this.givenVpid;
    if (this.amd) return fields.low('asid');
    return (secondaryControls(fields) & Secondary.vpid) !== 0 ? fields.low('vpid') & 0xffff : 0;
  }

  get pml(): Registers | null {
    const { fields, guest } = this;
    const on = fields === null ? guest.kvm.pmlActive : !this.amd && (secondaryControls(fields) & Secondary.pml) !== 0;
    return on ? guest.registers : null;
  }

  /** nested_vmx_is_page_fault_vmexit; svm.c: intercepts of exceptions. */
  interceptsPageFault(errorCode: number): boolean {
    const { fields } = this;
    if (fields === null) return !this.guest.kvm.tdp;
    if (this.amd) return (fields.low('intercept_exceptions') & PF_BIT) !== 0;
    const unequal = (errorCode & fields.low('pfec_mask')) !== fields.low('pfec_match');
    return unequal !== ((fields.low('exception_bitmap') & PF_BIT) !== 0);
  }

  stopGuest(): void {
    this.guest.kick();
  }

  /** Under soft MMU the guest's registers in hardware are other ones than it believes. */
  load(into: Registers): void {
    const { registers, kvm } = this.guest;
    for (const [register, hardware] of GUEST_STATE) {
      const from = kvm.tdp ? register : hardware;
      into.set(register, registers.lo(from), registers.hi(from));
    }
  }

  /**
   * A field, as it stands for the next entry; null: it is none of this vendor, or of this kind of MMU, or a KVM's own affair.
   *
   * @param root that a KVM has for the guest
   */
  field(field: ControlField, root: bigint): bigint | null {
    const { fields, guest, amd } = this;
    if (amd ? !isVmcbField(field) : !isVmcsField(field)) return null;
    if ((field === 'eptp' || field === 'ncr3') && !guest.kvm.tdp) return null;
    if (fields !== null) return fields.value(field);
    switch (field) {
      case 'cr3':
        return guest.kvm.tdp ? guest.registers.value(Register.cr3) : root;
      case 'eptp':
      case 'ncr3':
        return root;
      case 'vpid':
      case 'asid':
        return BigInt(this.givenVpid);
      case 'pml_address':
        return guest.registers.value(Register.pmlAddress);
      case 'pml_index':
        return guest.registers.value(Register.pmlIndex);
      case 'tlb_control':
        return 0n;
      default:
        return null;
    }
  }

  private get amd(): boolean {
    return this.guest.parts.vendor === 'amd';
  }
}

/** The secondary processor-based controls, where the primary ones activate them. */
export function secondaryControls(fields: ControlFields): number {
  return (fields.low('primary_controls') & Primary.activateSecondary) !== 0 ? fields.low('secondary_controls') : 0;
}

const GUEST_STATE: readonly (readonly [Register, Register])[] = [
  [Register.cr0, Register.hwCr0],
  [Register.cr3, Register.hwCr3],
  [Register.cr4, Register.hwCr4],
  [Register.efer, Register.hwEfer],
  [Register.rflags, Register.rflags],
  [Register.pkru, Register.pkru],
  [Register.pkrs, Register.pkrs],
  [Register.pdpte0, Register.hwPdpte0],
  [Register.pdpte1, Register.hwPdpte1],
  [Register.pdpte2, Register.hwPdpte2],
  [Register.pdpte3, Register.hwPdpte3],
];
