/** The MMU contexts of a vCPU, kept in accord with its guest's registers (§5.8, §5.9; mmu.c: kvm_init_mmu, kvm_mmu_new_pgd). */
import type { TableRef } from '../../program';
import { keysOf } from '../../vcpu/control-registers';
import { Register } from '../../vcpu/registers';
import { LocalFlush } from '../../journal/enumerations';
import type { Format } from '../../x86/formats';
import { cpuRole, extendedRole, shadowRootRole, tdpRootRole, walkerPolicy } from '../contexts/cpu-role';
import type { MmuContext } from '../contexts/mmu-context';
import { syncChildren } from '../pages/sync-children';
import { invalidateAddress } from '../soft/invlpg';
import { flushTlb } from './flush-tlb';
import type { KvmVcpu } from './kvm-vcpu';

/** Root register of the tables that are shadowed, or stand in hardware. */
export function pgdOf({ nested, guests, registers, mmu }: KvmVcpu): { readonly lo: number; readonly hi: number } {
  if (nested) return { lo: guests.rootLo, hi: guests.rootHi };
  return { lo: registers.lo(Register.cr3), hi: mmu.guestLevels >= 4 ? registers.hi(Register.cr3) : 0 };
}

/** Take over what the guest's registers say of its tables (kvm_init_mmu). */
export function initMmu(vcpu: KvmVcpu): void {
  const { registers, parts, walkMmu, kvm, guestMode } = vcpu;
  const role = cpuRole(registers, guestMode);
  const paging = {
    role,
    extended: extendedRole(registers),
    format: parts.formats.of(registers),
    pgdLo: registers.lo(Register.cr3),
    pgdHi: registers.hi(Register.cr3),
  };
  const adDisabled = !kvm.format.accessedDirty;
  const ownTree = guestMode && !kvm.options.shareEptRoot;
  walkMmu.init(paging, kvm.tdp ? tdpRootRole(kvm.tdpLevels, adDisabled, ownTree) : shadowRootRole(role));
  updateWalker(vcpu);
}

/** The software walker follows CR3 and what else does not change the role. */
export function updateWalker({ registers, parts, kvm, walkMmu: { walker } }: KvmVcpu): void {
  const format = parts.formats.of(registers);
  if (format === null) return;
  walker.use(format, registers.lo(Register.cr3), format.levels >= 4 ? registers.hi(Register.cr3) : 0);
  walker.policy = walkerPolicy(registers);
  walker.keys = kvm.tdp ? keysOf(registers) : 0;
  walker.pkru = registers.lo(Register.pkru);
  walker.pkrs = registers.lo(Register.pkrs);
  walker.pdptes = format.pae && !parts.rules.pdptesInMemory ? registers.pdptes(Register.pdpte0) : null;
}

/** All roots go, and contexts are made anew (kvm_mmu_reset_context). */
export function resetMmu(vcpu: KvmVcpu): void {
  for (const { roots } of vcpu.contexts) roots.freeAll();
  vcpu.mmio.forgetAllGva();
  initMmu(vcpu);
}

/** Another root of the guest's tables is in force (kvm_mmu_new_pgd); a root that is known is used as it is. */
export function newPgd(vcpu: KvmVcpu): void {
  const { mmu } = vcpu;
  updateWalker(vcpu);
  const { lo, hi } = pgdOf(vcpu);
  if (!mmu.roots.switchTo(lo, hi, mmu.rootRole, mmu.direct)) return;
  vcpu.request('loadRoot');
  vcpu.mmio.forgetAllGva();
  const { page } = mmu.roots.current;
  if (!mmu.direct && page !== null) page.clearFlooding();
}

export function freeObsoleteRoots({ contexts }: KvmVcpu): void {
  for (const { roots } of contexts) roots.freeObsolete();
}

/** kvm_mmu_sync_roots */
export function syncRoots({ mmu, kvm, mmio }: KvmVcpu): void {
  const { current } = mmu.roots;
  if (mmu.direct || current.hpa < 0) return;
  mmio.forgetAllGva();
  for (const page of current.pae ?? (current.page === null ? [] : [current.page])) syncChildren(kvm, page, mmu.sync);
}

/** Previous roots with unsync pages are brought into step by letting them go (kvm_mmu_sync_prev_roots). */
export function syncPreviousRoots({ mmu }: KvmVcpu): void {
  mmu.roots.freePrevious((root) => root.page !== null && (root.page.unsync || root.page.unsyncChildren > 0));
}

/** INVLPG as the guest means it (kvm_mmu_invlpg): in the current root and, when all are meant, in the previous ones. */
export function invalidateGuestAddress(vcpu: KvmVcpu, mmu: MmuContext, lo: number, hi: number, all: boolean): void {
  if (mmu === vcpu.walkMmu) flushTlb(vcpu, LocalFlush.gva, lo, hi);
  if (mmu.direct) return;
  vcpu.mmio.forgetGva(lo, hi);
  invalidateAddress(vcpu.kvm, mmu, mmu.roots.current, lo, hi);
  if (all) for (const root of mmu.roots.previous) if (root.hpa >= 0) invalidateAddress(vcpu.kvm, mmu, root, lo, hi);
}

/** A format by the name of its paging mode, with the rules that the guest's registers select for it; null without tables. */
export function formatNamed({ parts, registers }: KvmVcpu, name: TableRef['format']): Format | null {
  const own = parts.formats.of(registers);
  return own !== null && own.name === name ? own : parts.formatNamed(name);
}
