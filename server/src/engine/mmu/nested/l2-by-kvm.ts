/** The vCPU of a guest's guest whose hypervisor is a KVM: as on the host, but that it runs on a vCPU of that hypervisor's VM. */
import type { ControlField } from '../../program';
import { Register } from '../../vcpu/registers';
import type { Root } from '../contexts/roots';
import type { KvmVcpu } from '../vcpu/kvm-vcpu';
import { PlainMode } from '../vcpu/plain-mode';
import type { NestedCpu } from './nested-cpu';

export class L2ByKvm extends PlainMode {
  override readonly level = 2;

  constructor(
    vcpu: KvmVcpu,
    private readonly cpu: NestedCpu,
  ) {
    super(vcpu);
  }

  override get below(): KvmVcpu {
    return this.cpu.below;
  }

  override get root(): Root {
    return this.cpu.root;
  }

  override get root12(): Root {
    return this.vcpu.mmu.roots.current;
  }

  override field(name: ControlField): bigint | null {
    const { registers, kvm } = this.vcpu;
    return this.cpu.control.field(name, registers.value(kvm.tdp ? Register.secondRoot : Register.hwCr3));
  }
}
