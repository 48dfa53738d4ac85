/** What stands in hardware while a guest runs (§5.2, §6.1): the hypervisor's root in place of the guest's, or beneath it. */
import { high, low } from '../../bits';
import { STAGE_SHADOW } from '../../journal/events';
import { Cr0, Cr4, Efer, pcidOf } from '../../vcpu/control-registers';
import { useGuestRegisters } from '../../vcpu/guest-context';
import { Register, type Registers } from '../../vcpu/registers';
import { Policy } from '../../x86/permissions';
import type { KvmVcpu } from './kvm-vcpu';
import { Role } from '../pages/role';
import type { Root } from '../contexts/roots';

/** EPTP: write-back, levels less one in bits 5:3, A/D in bit 6. */
const EPTP_WRITE_BACK = 6;
export const EPTP_AD = 1 << 6;

/**
 * Soft MMU: linear addresses by shadow tables.
 *
 * @param due called before the first register is set: whose doing it is, when not that of the last event
 */
export function useShadowTables(vcpu: KvmVcpu, root: Root, due?: () => void): void {
  const { context, registers, parts, kvm } = vcpu;
  const { journal } = kvm.trace;
  const event = journal.current;
  const { hardware } = parts;
  context.first = root.pae !== null || root.level === 3 ? hardware.pae : root.level === 5 ? hardware.five : hardware.four;
  context.firstStage = STAGE_SHADOW;
  context.rootLo = low(root.hpa);
  context.rootHi = high(root.hpa);
  context.policy = shadowPolicy(registers);
  context.keys = 0;
  context.globalPages = false;
  context.pcid = pcidOf(registers);
  context.second = null;
  const pae = context.first === hardware.pae;
  const pdptes = Array.from({ length: pae ? 4 : 0 }, (_, i) => {
    const at = root.hpa + i * 8;
    return { lo: kvm.tables.low(at), hi: kvm.tables.high(at) };
  });
  if (due !== undefined) due();
  else journal.goesOn(event);
  pdptes.forEach(({ lo, hi }, i) => registers.set(Register.hwPdpte0 + i, lo, hi));
  context.pdptes = pae ? registers.pdptes(Register.hwPdpte0) : null;
  registers.set(Register.hwCr3, context.rootLo | context.pcid, context.rootHi);
  registers.set(Register.hwCr0, registers.lo(Register.cr0) | Cr0.pg | Cr0.wp, 0);
  registers.set(Register.hwCr4, shadowCr4(registers) | Cr4.pae, 0);
  registers.set(Register.hwEfer, registers.lo(Register.efer) | Efer.nxe, 0);
}

/** Hard MMU: the guest's own tables, and EPT or nested tables beneath. */
export function useTdp(vcpu: KvmVcpu, root: Root): void {
  const { context, registers, parts } = vcpu;
  useGuestRegisters(context, registers, parts.native.formats, parts.rules.pdptesInMemory);
  useSecondStage(vcpu, root);
}

/**
 * The tables of a root beneath whatever runs.
 *
 * @param flags A and D may be used (vmx.c: construct_eptp: for a nested guest only where its hypervisor's EPT uses them)
 */
export function useSecondStage(vcpu: KvmVcpu, root: Root, flags = true): void {
  const { context, registers, parts, mmu } = vcpu;
  const accessedDirty = flags && (mmu.rootRole & Role.adDisabled) === 0;
  const second = accessedDirty ? parts.hardware.second : parts.hardware.secondWithoutAd;
  context.second = second;
  context.secondRootLo = low(root.hpa);
  context.secondRootHi = high(root.hpa);
  context.secondPolicy = second?.ept ? 0 : Policy.nxe;
  const eptp = EPTP_WRITE_BACK | ((root.level - 1) << 3) | (accessedDirty ? EPTP_AD : 0);
  registers.set(Register.secondRoot, context.secondRootLo | (second?.ept ? eptp : 0), context.secondRootHi);
  for (const [hardware, guest] of HARDWARE_REGISTERS) registers.set(hardware, registers.lo(guest), registers.hi(guest));
}

const HARDWARE_REGISTERS: readonly (readonly [Register, Register])[] = [
  [Register.hwCr0, Register.cr0],
  [Register.hwCr3, Register.cr3],
  [Register.hwCr4, Register.cr4],
  [Register.hwEfer, Register.efer],
];

/** The guest's CR4 with what it means in hardware, which pages also while the guest does not (vmx_set_cr4, svm_set_cr4). */
function shadowCr4(registers: Registers): number {
  const paging = (registers.lo(Register.cr0) & Cr0.pg) !== 0;
  return registers.lo(Register.cr4) & (paging ? -1 : ~(Cr4.smep | Cr4.smap | Cr4.pke));
}

/** Policy bits that hardware runs the shadow tables with: WP and NX always, SMEP and SMAP as the guest has them (§5.2). */
function shadowPolicy(registers: Registers): number {
  const cr4 = shadowCr4(registers);
  return Policy.writeProtect | Policy.nxe | ((cr4 & Cr4.smep) !== 0 ? Policy.smep : 0) | ((cr4 & Cr4.smap) !== 0 ? Policy.smap : 0);
}
