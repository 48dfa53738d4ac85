/** What a guest's registers mean for the roles of shadow pages (§5.1.2; mmu.c: kvm_calc_cpu_role, kvm_init_mmu). */
import { Cr0, Cr4, Efer, policyOf } from '../../vcpu/control-registers';
import { Register, type Registers } from '../../vcpu/registers';
import { Policy } from '../../x86/permissions';
import { ACC_ALL, Role, withAccess, withLevel } from '../pages/role';

/** Bits of {@link extendedRole}. */
enum Extended {
  paging = 1 << 0,
  pae = 1 << 1,
  pse = 1 << 2,
  smep = 1 << 3,
  smap = 1 << 4,
  pke = 1 << 5,
  la57 = 1 << 6,
  lma = 1 << 7,
}

/** cpu_role.base */
export function cpuRole(registers: Registers, guestMode: boolean): number {
  const cr0 = registers.lo(Register.cr0);
  const cr4 = registers.lo(Register.cr4);
  const efer = registers.lo(Register.efer);
  let role = withAccess(guestMode ? Role.guestMode : 0, ACC_ALL);
  if ((cr0 & Cr0.pg) === 0) return role | Role.direct;
  const wp = (cr0 & Cr0.wp) !== 0;
  if ((efer & Efer.nxe) !== 0) role |= Role.eferNx;
  if (wp) role |= Role.cr0Wp;
  if (!wp && (cr4 & Cr4.smep) !== 0) role |= Role.smepAndNotWp;
  if (!wp && (cr4 & Cr4.smap) !== 0) role |= Role.smapAndNotWp;
  if ((cr4 & Cr4.pae) === 0) role |= Role.narrow;
  const level = (efer & Efer.lma) !== 0 ? ((cr4 & Cr4.la57) !== 0 ? 5 : 4) : (cr4 & Cr4.pae) !== 0 ? 3 : 2;
  return withLevel(role, level);
}

/** cpu_role.ext */
export function extendedRole(registers: Registers): number {
  const cr4 = registers.lo(Register.cr4);
  const bit = (mask: number, extended: Extended): number => ((cr4 & mask) !== 0 ? extended : 0);
  if ((registers.lo(Register.cr0) & Cr0.pg) === 0) return 0;
  return (
    Extended.paging |
    bit(Cr4.pae, Extended.pae) |
    bit(Cr4.pse, Extended.pse) |
    bit(Cr4.smep, Extended.smep) |
    bit(Cr4.smap, Extended.smap) |
    bit(Cr4.pke, Extended.pke) |
    bit(Cr4.la57, Extended.la57) |
    ((registers.lo(Register.efer) & Efer.lma) !== 0 ? Extended.lma : 0)
  );
}

/**
 * {@link Policy} bits of KVM's own walker. It goes by EFER.NXE alone, where a processor with 32-bit tables knows no NX: a fetch
 * fault that the walker finds there has I in its error code (paging_tmpl.h: FNAME(walk_addr_generic)).
 */
export function walkerPolicy(registers: Registers): number {
  return policyOf(registers) | ((registers.lo(Register.efer) & Efer.nxe) !== 0 ? Policy.nxe : 0);
}

/** Role of the root of a soft MMU: at least PAE tables, and always with NX (kvm_init_shadow_mmu). */
export function shadowRootRole(role: number): number {
  return withLevel(role, Math.max(role & Role.level, 3)) | Role.eferNx;
}

/** Role of the root of EPT or nested tables, whatever the guest does (kvm_calc_tdp_mmu_root_page_role). */
export function tdpRootRole(levels: number, adDisabled: boolean, guestMode: boolean): number {
  const bits = Role.direct | Role.cr0Wp | Role.eferNx | (adDisabled ? Role.adDisabled : 0) | (guestMode ? Role.guestMode : 0);
  return withAccess(withLevel(bits, levels), ACC_ALL);
}
