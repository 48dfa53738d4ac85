/**
 * Page faults of direct MMUs (§6.2; mmu.c: direct_page_fault, __direct_map): EPT and NPT, and guests without paging under
 * soft MMU. The address already is the guest-physical one.
 */
import { isTrackedWrite, type Fault } from '../faults/fault';
import { adjustLevel, faultIn, requested, stillHolds } from '../faults/fault-in';
import { installLeaf } from '../faults/install';
import type { FaultingVcpu } from '../faults/faulting-vcpu';
import { getChild, linkShadowPage } from '../pages/get-page';
import type { MmuContext } from '../contexts/mmu-context';
import type { Kvm } from '../pages/kvm';
import { ACC_ALL, Role } from '../pages/role';
import { ShadowWalk } from '../contexts/shadow-walk';
import { framesAt, type ShadowPage } from '../pages/shadow-page';
import type { TdpTree } from '../pages/tdp-tree';
import { prefetchDirect } from '../faults/prefetch-direct';
import { RetPf } from '../../journal/enumerations';
import { makePagesAvailable } from '../pages/page-quota';
import { fastPageFault } from './fast-page-fault';

export function directPageFault(vcpu: FaultingVcpu, mmu: MmuContext, fault: Fault): RetPf {
  const { kvm } = vcpu;
  const { tdpMmu } = kvm;
  fault.gfn = Math.floor(((fault.hi >>> 0) * 0x1_0000_0000 + (fault.lo >>> 0)) / 4096);
  fault.slot = kvm.slotOf(fault.gfn);
  if (isTrackedWrite(kvm, fault)) return RetPf.writeProtected;
  const fast = fastPageFault(kvm, mmu, fault);
  if (fast !== RetPf.invalid) return fast;

  const found = faultIn(kvm, fault);
  if (found !== RetPf.continue) return found;
  if (fault.slot === null) {
    vcpu.mmio.remember(fault.tdp ? 0 : fault.lo, fault.tdp ? 0 : fault.hi, fault.gfn, ACC_ALL & kvm.format.mmioAccess);
    if (!kvm.format.mmioCaching) return RetPf.emulate;
  }
  const root = mmu.roots.current;
  if (!stillHolds(kvm, root, fault)) return RetPf.retry;
  if (root.page?.tdpMmu && tdpMmu !== null) return tdpMap(kvm, tdpMmu, root.page, fault);
  if (!makePagesAvailable(kvm)) {
    fault.errno = 'ENOSPC';
    return RetPf.error;
  }
  return directMap(vcpu, mmu, fault);
}

function tdpMap(kvm: Kvm, tree: TdpTree, root: ShadowPage, fault: Fault): RetPf {
  adjustLevel(kvm, fault);
  requested(kvm, fault);
  const { gfn, slot, pfn, goalLevel: level, mapWritable: hostWritable, write } = fault;
  const result = tree.map(root, { gfn, slot, pfn, level, hostWritable, write });
  if (result !== null) return result;
  fault.errno = 'ENOMEM';
  return RetPf.error;
}

/** Build the way with direct shadow pages (__direct_map). */
function directMap(vcpu: FaultingVcpu, mmu: MmuContext, fault: Fault): RetPf {
  const { kvm } = vcpu;
  adjustLevel(kvm, fault);
  requested(kvm, fault);
  const walk = new ShadowWalk(kvm, fault.lo, fault.hi, mmu.roots.current);
  for (; walk.ok && walk.level > fault.goalLevel; walk.next()) {
    const child = getChild(kvm, walk.at, fault.gfn - (fault.gfn % framesAt(walk.level)), true, ACC_ALL, mmu.sync);
    if (child === null) {
      fault.errno = 'ENOMEM';
      return RetPf.error;
    }
    if (child !== 'linked') linkShadowPage(kvm, walk.at, child);
  }
  const page = walk.ok ? kvm.pages.holding(walk.at) : null;
  if (page === null) return RetPf.retry;
  const gfn = fault.gfn - (fault.gfn % framesAt(walk.level));
  const { slot, pfn, mapWritable, write } = fault;
  const result = installLeaf(kvm, walk.at, { slot, access: ACC_ALL, gfn, pfn, hostWritable: mapWritable, prefetch: false, write });
  // Without A there would be no telling whether what was prefetched is used (direct_pte_prefetch).
  if (result !== RetPf.spurious && (page.role & Role.adDisabled) === 0) prefetchDirect(kvm, page, walk.at);
  return result;
}
