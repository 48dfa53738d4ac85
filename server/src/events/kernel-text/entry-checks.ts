/** The message of kvm_nested_vmenter_failed: a check as the source has it (vmx/nested.c, svm/nested.c: CC). */
import { EntryCheck } from '../../engine/journal/enumerations';

type Texts = { readonly [check in EntryCheck]: string };

const verified = (control: string, name: string): string =>
  `!vmx_control_verify(vmcs12->${control}, vmx->nested.msrs.${name}_ctls_low, vmx->nested.msrs.${name}_ctls_high)`;

export const ENTRY_CHECKS_6_1: Texts = {
  [EntryCheck.launchState]: 'vmcs12->launch_state == launch',
  [EntryCheck.pinControls]: verified('pin_based_vm_exec_control', 'pinbased'),
  [EntryCheck.primaryControls]: verified('cpu_based_vm_exec_control', 'procbased'),
  [EntryCheck.secondaryControls]: verified('secondary_vm_exec_control', 'secondary'),
  [EntryCheck.pmlWithoutEpt]: '!nested_cpu_has_ept(vmcs12)',
  [EntryCheck.pmlAddress]: '!page_address_valid(vcpu, vmcs12->pml_address)',
  [EntryCheck.unrestrictedGuest]: 'nested_cpu_has2(vmcs12, SECONDARY_EXEC_UNRESTRICTED_GUEST) && !nested_cpu_has_ept(vmcs12)',
  [EntryCheck.vpid]: 'nested_cpu_has_vpid(vmcs12) && !vmcs12->virtual_processor_id',
  [EntryCheck.eptpMemoryType]: '!(vmx->nested.msrs.ept_caps & VMX_EPTP_UC_BIT)',
  [EntryCheck.eptpLevels]: '!(vmx->nested.msrs.ept_caps & VMX_EPT_PAGE_WALK_5_BIT)',
  [EntryCheck.eptpReserved]: 'kvm_vcpu_is_illegal_gpa(vcpu, new_eptp) || ((new_eptp >> 7) & 0x1f)',
  [EntryCheck.eptpAd]: '!(vmx->nested.msrs.ept_caps & VMX_EPT_AD_BIT)',
  [EntryCheck.eptp]: '!nested_vmx_check_eptp(vcpu, vmcs12->ept_pointer)',
  [EntryCheck.exitControls]: verified('vm_exit_controls', 'exit'),
  [EntryCheck.entryControls]: verified('vm_entry_controls', 'entry'),
  [EntryCheck.addressSpaceSize]: '!!(vmcs12->vm_exit_controls & VM_EXIT_HOST_ADDR_SPACE_SIZE) != !!(vcpu->arch.efer & EFER_LMA)',
  [EntryCheck.cr0]: '!nested_guest_cr0_valid(vcpu, vmcs12->guest_cr0)',
  [EntryCheck.cr4]: '!nested_guest_cr4_valid(vcpu, vmcs12->guest_cr4)',
  [EntryCheck.linkPointerPage]: '!page_address_valid(vcpu, vmcs12->vmcs_link_pointer)',
  [EntryCheck.linkPointerMemory]: 'kvm_gfn_to_hva_cache_init(vcpu->kvm, ghc, vmcs12->vmcs_link_pointer, VMCS12_SIZE)',
  [EntryCheck.linkPointerRevision]: 'hdr.revision_id != VMCS12_REVISION',
  [EntryCheck.pagingWithoutProtection]: '(vmcs12->guest_cr0 & (X86_CR0_PG | X86_CR0_PE)) == X86_CR0_PG',
  [EntryCheck.ia32eWithoutPae]: 'ia32e && !(vmcs12->guest_cr4 & X86_CR4_PAE)',
  [EntryCheck.ia32eWithoutPaging]: 'ia32e && !(vmcs12->guest_cr0 & X86_CR0_PG)',
  [EntryCheck.efer]: '!kvm_valid_efer(vcpu, vmcs12->guest_ia32_efer)',
  [EntryCheck.eferLma]: 'ia32e != !!(vmcs12->guest_ia32_efer & EFER_LMA)',
  [EntryCheck.eferLme]: '((vmcs12->guest_cr0 & X86_CR0_PG) && ia32e != !!(vmcs12->guest_ia32_efer & EFER_LME))',
  [EntryCheck.asid]: 'control->asid == 0',
  [EntryCheck.nestedPaging]: '(control->nested_ctl & SVM_NESTED_CTL_NP_ENABLE) && !npt_enabled',
  [EntryCheck.ncr3]: '(control->nested_ctl & SVM_NESTED_CTL_NP_ENABLE) && !kvm_vcpu_is_legal_gpa(vcpu, control->nested_cr3)',
  [EntryCheck.svme]: '!(save->efer & EFER_SVME)',
  [EntryCheck.cacheDisable]: '(save->cr0 & X86_CR0_CD) == 0 && (save->cr0 & X86_CR0_NW)',
  [EntryCheck.cr0High]: 'save->cr0 & ~0xffffffffULL',
  [EntryCheck.longModeWithoutPae]: '!(save->cr4 & X86_CR4_PAE)',
  [EntryCheck.longModeWithoutProtection]: '!(save->cr0 & X86_CR0_PE)',
  [EntryCheck.longModeCr3]: 'kvm_vcpu_is_illegal_gpa(vcpu, save->cr3)',
  [EntryCheck.svmCr4]: '!__kvm_is_valid_cr4(vcpu, save->cr4)',
  [EntryCheck.svmEfer]: '!kvm_valid_efer(vcpu, save->efer)',
};

export const ENTRY_CHECKS_6_12: Texts = {
  ...ENTRY_CHECKS_6_1,
  [EntryCheck.eptpReserved]: '!kvm_vcpu_is_legal_gpa(vcpu, new_eptp) || ((new_eptp >> 7) & 0x1f)',
  [EntryCheck.longModeCr3]: '!kvm_vcpu_is_legal_cr3(vcpu, save->cr3)',
};
