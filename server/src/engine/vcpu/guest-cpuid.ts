/** What a guest's CPUID makes of a processor (cpuid.c: kvm_vcpu_after_set_cpuid), for KVM that loads its registers and walks its tables. */
import type { Cpuid, Features, VmConfig } from '../program';

/**
 * 1-GByte pages are the processor's where it walks the guest's tables itself (mmu.c: guest_can_use_gbpages).
 *
 * @param tdp the guest's hypervisor uses EPT or NPT
 */
export function cpuidOf(host: Cpuid, { cpuid = host }: Pick<VmConfig, 'cpuid'>, tdp: boolean): Cpuid {
  const { maxPhyAddr, features } = cpuid;
  return { maxPhyAddr, features: { ...offeredFeatures(features, tdp), page1G: (tdp ? host : cpuid).features.page1G } };
}

/** Protection keys are offered with TDP only, and those of supervisor pages never (cpuid.c: kvm_set_cpu_caps; CR4_RESERVED_BITS). */
export function offeredFeatures(features: Features, tdp: boolean): Features {
  return { ...features, pku: features.pku && tdp, pks: false };
}
