/** What L0 does for instructions of an L1 hypervisor that exit (§7.5, §7.7; vmx/nested.c: handle_invept, handle_invvpid; svm.c). */
import { highOf, lowOf } from '../../bits';
import type { Act } from '../../program';
import { VmxExit } from '../../x86/exit-reasons';
import { DONE, type Completion } from '../vcpu/instruction';
import type { KvmVcpu } from '../vcpu/kvm-vcpu';
import { Role } from '../pages/role';
import { invalidateGuestAddress } from '../vcpu/vcpu-mmu';
import { samePage, type Nesting } from './nested-state';
import { NO_INFO } from '../trace';

/**
 * INVEPT: cached roots of EPT02 go; their shadow pages are found again, and brought into step, when they are next used.
 *
 * @param type 1: of one EPTP; 2: all
 */
export function invept(nesting: Nesting, type: 1 | 2, eptpLo: number, eptpHi: number): void {
  const { roots } = nesting.guestMmu;
  if (type === 2) return roots.freeAll();
  roots.freeFitting((root) => samePage(root.pgdLo, root.pgdHi, eptpLo, eptpHi));
}

/** INVVPID: L2's translations go; of a soft L0 the roots that it ran on too, as VPIDs are not part of their role. */
export function invvpid(nesting: Nesting, type: 0 | 1 | 2 | 3, lo: number, hi: number): void {
  const { vcpu } = nesting;
  const { kvm } = vcpu;
  if (vcpu.tlbOn) nesting.invalidateTag(type, lo, hi);
  if (!kvm.tdp) vcpu.rootMmu.roots.freePrevious((root) => root.page === null || (root.page.role & Role.guestMode) !== 0);
}

/** INVLPGA counts as INVLPG, whatever the ASID (svm.c: invlpga_interception). */
export function invlpga(vcpu: KvmVcpu, lo: number, hi: number): void {
  invalidateGuestAddress(vcpu, vcpu.walkMmu, lo, hi, true);
}

/** Bytes of INVEPT and INVVPID. */
const LENGTH = 5;

/**
 * INVEPT or INVVPID that the script has an L1 execute: the exit, what L0 does, and back.
 *
 * @param nesting null: the L1 has no guests
 */
export function invalidateNested(vcpu: KvmVcpu, nesting: Nesting | null, act: Extract<Act, { do: 'invept' | 'invvpid' }>): Completion {
  if (vcpu.parts.vendor === 'amd') return { kind: 'error', errno: '#UD', why: `AMD processors have no ${act.do.toUpperCase()}` };
  const failed = vcpu.enter();
  if (failed !== null) return failed;
  vcpu.exited(act.do === 'invept' ? VmxExit.INVEPT : VmxExit.INVVPID, NO_INFO);
  vcpu.rip += LENGTH;
  if (act.do === 'invvpid' && act.vpid === 0 && act.type !== 2)
    return vcpu.enter() ?? { kind: 'error', errno: 'VMfailInvalid', why: 'VPID 0 is the hypervisor itself' };
  if (nesting !== null) {
    if (act.do === 'invept') invept(nesting, act.type, lowOf(act.eptp), highOf(act.eptp));
    else invvpid(nesting, act.type, lowOf(act.address), highOf(act.address));
  }
  return vcpu.enter() ?? DONE;
}
