/**
 * Invariants of a vCPU whose guest is a hypervisor (§9, group N), checked between acts. What EPT02 and SPT02 map (N1, N6) is
 * checked with all other shadow pages, as S1 and S2, and M3.
 */
import { join } from '../../bits';
import { Register } from '../../vcpu/registers';
import { Ept } from '../../x86/entries';
import type { Nesting } from '../nested/nested-state';
import { EPTP_AD } from '../vcpu/hardware';
import type { KvmVcpu } from '../vcpu/kvm-vcpu';
import type { MmuContext } from '../contexts/mmu-context';
import { Role } from '../pages/role';
import type { Root } from '../contexts/roots';

export function brokenNesting(nesting: Nesting): string[] {
  const broken: string[] = [];
  const { vcpu } = nesting;
  brokenMode(nesting, broken);
  brokenRoots(vcpu, nesting.guestMmu, broken);
  if (nesting.control !== null) brokenCurrent(nesting, broken);
  return broken;
}

/** N5: one of L1 and L2 runs, with everything that belongs to it. */
function brokenMode({ vcpu, guestMmu, nestedMmu, pending }: Nesting, broken: string[]): void {
  const { guestMode, nested, mmu, rootMmu, walkMmu, registers, parts } = vcpu;
  if (guestMode === (registers === parts.registers)) broken.push('N5: the registers are not those of the guest that runs');
  const [tables, walked] = nested ? [guestMmu, nestedMmu] : [rootMmu, rootMmu];
  if (mmu !== tables || walkMmu !== walked) broken.push('N5: the MMU contexts are not those of the guest that runs');
  if (pending !== null) broken.push('N5: an exception that L1 wants waits still');
}

/** N7, N2: what L1 runs on was not built for L2, nor the other way round; above a hard MMU only nested tables are shadowed. */
function brokenRoots(vcpu: KvmVcpu, guestMmu: MmuContext, broken: string[]): void {
  const { kvm, rootMmu } = vcpu;
  const guestMode = (root: Root): boolean => root.page !== null && (root.page.role & Role.guestMode) !== 0;
  const known = ({ roots }: MmuContext): Root[] => [roots.current, ...roots.previous].filter(({ hpa }) => hpa >= 0);
  for (const root of known(guestMmu)) {
    if (root.page !== null && !guestMode(root)) broken.push('N7: a root for nested tables that is not of guest mode');
  }
  const { current } = rootMmu.roots;
  const forL2 = vcpu.guestMode && !vcpu.nested && !(kvm.tdp && kvm.options.shareEptRoot);
  if (current.hpa >= 0 && current.page !== null && guestMode(current) !== forL2) broken.push('N7: L1 and L2 run on a root of one another');
  if (!kvm.tdp) return;
  for (const root of known(rootMmu)) {
    if (root.page !== null && !root.page.direct) broken.push('N2: a hard MMU runs a guest on a shadow of its tables');
  }
}

/** N3: the root in hardware mirrors what L1's control structure names, with its accessed and dirty flags. */
function brokenCurrent(nesting: Nesting, broken: string[]): void {
  const { kvm, nested, mmu, registers } = nesting.vcpu;
  const { current } = mmu.roots;
  if (current.hpa < 0 || current.page === null || mmu.direct) return;
  const named = nested
    ? join(nesting.rootLo & ~0xfff, nesting.rootHi)
    : join(registers.lo(Register.cr3) & ~0xfff, registers.hi(Register.cr3) & 0xfffff);
  if (current.page.gfn !== Math.floor(named / 4096)) broken.push('N3: the root in hardware mirrors another table than L1 names');
  if (!nested || !kvm.format.ept) return;
  const flags = (nesting.rootLo & EPTP_AD) !== 0;
  if (flags !== ((current.page.role & Role.adDisabled) === 0)) broken.push('N3: accessed and dirty flags are on where L1 has them off');
  if (flags !== (mmu.walker.format.accessed === (Ept.accessed as number))) broken.push("N3: L1's flags are not looked at");
}
