/** The settings of each block of the machine, from the files of its items (machine/). */
import { BUDGET_SETTINGS } from '../../machine/budget';
import { CPUID_SETTINGS } from '../../machine/cpuid';
import { CPU_SETTINGS, HOST_SETTINGS, KVM_SETTINGS, TLB_SETTINGS } from '../../machine/host';
import type { SettingBlock, SettingSpecs } from '../../machine/setting';
import { SLOT_SETTINGS } from '../../machine/slot';
import { VCPU_SETTINGS } from '../../machine/vcpu';
import { VM_SETTINGS } from '../../machine/vm';

export type { SettingBlock, SettingSpec, SettingSpecs, Takes } from '../../machine/setting';

export const SETTING_BLOCKS: { readonly [block in SettingBlock]: SettingSpecs } = {
  host: HOST_SETTINGS,
  cpu: CPU_SETTINGS,
  tlb: TLB_SETTINGS,
  kvm: KVM_SETTINGS,
  budget: BUDGET_SETTINGS,
  vm: VM_SETTINGS,
  cpuid: CPUID_SETTINGS,
  slot: SLOT_SETTINGS,
  vcpu: VCPU_SETTINGS,
};
