/**
 * A page fault on shadow tables (§5.3, §5.4; paging_tmpl.h: page_fault, fetch): the guest's tables are walked by software;
 * either the guest is to blame, or the shadow's path is built.
 */
import { Rights } from '../../x86/permissions';
import { Walk } from '../../x86/stage';
import { PageFault } from '../../x86/fault-codes';
import { isTrackedWrite, type Fault } from '../faults/fault';
import type { FaultingVcpu } from '../faults/faulting-vcpu';
import { adjustLevel, faultIn, requested, stillHolds } from '../faults/fault-in';
import { installLeaf } from '../faults/install';
import type { Kvm } from '../pages/kvm';
import { getChild, linkShadowPage } from '../pages/get-page';
import type { MmuContext } from '../contexts/mmu-context';
import { isDummy } from '../contexts/roots';
import { Acc, accOfRights } from '../pages/role';
import { ShadowWalk } from '../contexts/shadow-walk';
import { framesAt } from '../pages/shadow-page';
import { RetPf } from '../../journal/enumerations';
import { syncChildren } from '../pages/sync-children';
import { makePagesAvailable } from '../pages/page-quota';
import { replaced } from '../pages/leaf';
import { unlink } from '../pages/zap';
import { GuestEntry } from './guest-entry';
import { prefetchAround } from './prefetch';

export function shadowPageFault(vcpu: FaultingVcpu, mmu: MmuContext, fault: Fault): RetPf {
  const { kvm } = vcpu;
  const { walker } = mmu;
  const status = mmu.walk(fault.lo, fault.hi, fault.code & ~PageFault.reserved, vcpu.alignmentCheck);
  if (status !== Walk.ok) {
    vcpu.injectWalkFault(mmu, fault.lo, fault.hi, status);
    return RetPf.retry;
  }
  fault.gfn = Math.floor(((walker.outHi >>> 0) * 0x1_0000_0000 + (walker.outLo >>> 0)) / 4096);
  fault.slot = kvm.slotOf(fault.gfn);
  let access = accOfRights(walker.rights, walker.format.ept);
  if (!fault.write && (walker.rights & Rights.dirty) === 0) access &= ~Acc.write;

  if (isTrackedWrite(kvm, fault)) {
    clearFlooding(kvm, mmu, fault);
    return RetPf.writeProtected;
  }
  vcpu.writeFaultToShadowTable = false;
  fault.maxLevel = kvm.rules.selfMappingIsSmall && mapsItsOwnTable(vcpu, mmu, fault, access) ? 1 : walker.level;
  const found = faultIn(kvm, fault);
  if (found !== RetPf.continue) return found;
  if (fault.slot === null) {
    vcpu.mmio.remember(vcpu.nested ? 0 : fault.lo, vcpu.nested ? 0 : fault.hi, fault.gfn, access & kvm.format.mmioAccess);
    if (!kvm.format.mmioCaching) return RetPf.emulate;
  } else if (fault.write && (access & Acc.write) === 0 && !mmu.wp && !fault.user) {
    // CR0.WP=0: writable for the supervisor, so nothing for users, who may only read (§5.7).
    access = (access | Acc.write) & ~Acc.user;
    if (vcpu.smep) access &= ~Acc.exec;
  }
  if (!stillHolds(kvm, mmu.roots.current, fault)) return RetPf.retry;
  if (!makePagesAvailable(kvm)) {
    fault.errno = 'ENOSPC';
    return RetPf.error;
  }
  return fetch(vcpu, mmu, fault, access);
}

/** The write's own way counts as used (shadow_page_table_clear_flood). */
function clearFlooding(kvm: Kvm, mmu: MmuContext, fault: Fault): void {
  for (const walk = new ShadowWalk(kvm, fault.lo, fault.hi, mmu.roots.current); walk.ok; walk.next()) clearCount(kvm, walk.at);
}

function clearCount(kvm: Kvm, at: number): void {
  kvm.pages.holding(at)?.clearFlooding();
}

/** Can the frame's page be written through this mapping and is it a table of the same way? (is_self_change_mapping) */
function mapsItsOwnTable(vcpu: FaultingVcpu, mmu: MmuContext, fault: Fault, access: number): boolean {
  const { walker } = mmu;
  if ((access & Acc.write) === 0 && (mmu.wp || fault.user)) return false;
  const size = framesAt(walker.level);
  let own = false;
  const top = walker.format.pae ? 2 : walker.firstLevel;
  for (let level = walker.level; level <= top; level++) {
    const table = Math.floor(walker.entryAddress(level) / 4096);
    if (Math.floor(table / size) === Math.floor(fault.gfn / size)) own = true;
    if (table === fault.gfn) vcpu.writeFaultToShadowTable = true;
  }
  return own;
}

/** Build the way down to the leaf, and the leaf. */
function fetch(vcpu: FaultingVcpu, mmu: MmuContext, fault: Fault, access: number): RetPf {
  const { kvm } = vcpu;
  const { walker } = mmu;
  const { roots } = mmu;
  const guestLevel = walker.level;
  const tableGfn = (level: number): number => Math.floor(walker.entryAddress(level) / 4096);
  if (roots.current.hpa < 0 || guestEntryChanged(kvm, mmu, fault, walker.format.pae ? 2 : walker.firstLevel)) return RetPf.retry;
  if (isDummy(roots.current)) {
    // A slot was made meanwhile, and the guest's root is in it.
    vcpu.requestFreeObsoleteRoots();
    return RetPf.retry;
  }

  const walk = new ShadowWalk(kvm, fault.lo, fault.hi, roots.current);
  for (; walk.ok && walk.level > guestLevel; walk.next()) {
    const { level, at } = walk;
    clearCount(kvm, at);
    const child = getChild(kvm, at, tableGfn(level - 1), false, mmu.accessDownTo(level), mmu.sync);
    if (child === null) return outOfFrames(fault);
    if (child !== 'linked' && child.unsyncChildren > 0) syncChildren(kvm, child, mmu.sync);
    if (guestEntryChanged(kvm, mmu, fault, level - 1)) return RetPf.retry;
    if (child !== 'linked') linkShadowPage(kvm, at, child);
  }

  adjustLevel(kvm, fault);
  requested(kvm, fault);
  for (; walk.ok; walk.next()) {
    const { level, at } = walk;
    clearCount(kvm, at);
    if (level === fault.goalLevel) break;
    dropDirectOfOtherRights(kvm, at, access);
    const child = getChild(kvm, at, fault.gfn - (fault.gfn % framesAt(level)), true, access, mmu.sync);
    if (child === null) return outOfFrames(fault);
    if (child !== 'linked') linkShadowPage(kvm, at, child);
  }
  if (!walk.ok) return RetPf.retry;

  const gfn = fault.gfn - (fault.gfn % framesAt(walk.level));
  const { slot, pfn, mapWritable, write } = fault;
  const result = installLeaf(kvm, walk.at, { slot, access, gfn, pfn, hostWritable: mapWritable, prefetch: false, write });
  if (result !== RetPf.spurious) prefetchAround(kvm, mmu, walk.at);
  return result;
}

function outOfFrames(fault: Fault): RetPf {
  fault.errno = 'ENOMEM';
  return RetPf.error;
}

/** A direct table below a guest's large page serves one set of rights; D may have become 1 (validate_direct_spte). */
function dropDirectOfOtherRights(kvm: Kvm, at: number, access: number): void {
  const { format, tables } = kvm;
  const lo = tables.low(at);
  if (!format.present(lo) || format.large(lo)) return;
  const child = kvm.childOf(lo, tables.high(at));
  if (child === null || child.access === access) return;
  const page = kvm.pages.holding(at);
  if (page !== null) replaced(kvm, page, at);
  unlink(kvm, child, at);
  kvm.flushRemoteTlbs(child.gfn, 1);
}

/**
 * Is the guest entry another one than when it was walked (gpte_changed)? It can be, though nothing else runs: a table that
 * is its own entry's table gets flags at one level that the walk saw without them at another.
 */
function guestEntryChanged(kvm: Kvm, mmu: MmuContext, fault: Fault, level: number): boolean {
  const { walker } = mmu;
  const { format } = walker;
  const entry = new GuestEntry(kvm);
  if (walker.entryHost(level) < 0) return false;
  if (!entry.read(format, walker.entryAddress(level))) return true;
  const updated = (walker.updated & (1 << level)) !== 0;
  const flags = format.accessed | (fault.write && level === walker.level ? format.dirty : 0);
  const expected = updated ? walker.entryLo(level) | flags : walker.entryLo(level);
  return entry.lo !== expected || (!format.narrow && entry.hi !== walker.entryHi(level));
}
