/** What L0 does for instructions of an L1 hypervisor that exit (§7.5, §7.7; vmx/nested.c: handle_invept, handle_invvpid; svm.c). */
import { highOf, lowOf } from '../../bits';
import type { Act } from '../../program';
import { VmxExit } from '../../x86/exit-reasons';
import type { Completion } from '../vcpu/instruction';
import { NO_INFO, type KvmVcpu } from '../vcpu/kvm-vcpu';
import { Role } from '../pages/role';
import { samePage } from './nested-state';

/**
 * INVEPT: cached roots of EPT02 go; their shadow pages are found again, and brought into step, when they are next used.
 *
 * @param type 1: of one EPTP; 2: all
 */
export function invept(vcpu: KvmVcpu, type: 1 | 2, eptpLo: number, eptpHi: number): void {
  if (vcpu.nesting === null) return;
  const { roots } = vcpu.nesting.guestMmu;
  if (type === 2) return roots.freeAll();
  const fits = (root: { pgdLo: number; pgdHi: number }): boolean => samePage(root.pgdLo, root.pgdHi, eptpLo, eptpHi);
  if (roots.current.hpa >= 0 && fits(roots.current)) roots.freeCurrent();
  roots.freePrevious(fits);
}

/** INVVPID: L2's translations go; of a soft L0 the roots that it ran on too, as VPIDs are not part of their role. */
export function invvpid(vcpu: KvmVcpu, type: 0 | 1 | 2 | 3, lo: number, hi: number): void {
  const { nesting, kvm } = vcpu;
  if (nesting === null) return;
  if (vcpu.tlbOn) nesting.invalidateTag(type, lo, hi);
  if (!kvm.tdp) vcpu.rootMmu.roots.freePrevious((root) => root.page === null || (root.page.role & Role.guestMode) !== 0);
}

/** INVLPGA counts as INVLPG, whatever the ASID (svm.c: invlpga_interception). */
export function invlpga(vcpu: KvmVcpu, lo: number, hi: number): void {
  vcpu.invalidateAddress(vcpu.walkMmu, lo, hi, true);
}

/** Bytes of INVEPT and INVVPID. */
const LENGTH = 5;

/** INVEPT or INVVPID that the script has an L1 execute: the exit, what L0 does, and back. */
export function invalidateNested(vcpu: KvmVcpu, act: Extract<Act, { do: 'invept' | 'invvpid' }>): Completion {
  if (vcpu.parts.vendor === 'amd') return { kind: 'error', errno: '#UD', why: `AMD processors have no ${act.do.toUpperCase()}` };
  const failed = vcpu.enter();
  if (failed !== null) return failed;
  vcpu.exited(act.do === 'invept' ? VmxExit.INVEPT : VmxExit.INVVPID, NO_INFO);
  vcpu.rip += LENGTH;
  if (act.do === 'invept') invept(vcpu, act.type, lowOf(act.eptp), highOf(act.eptp));
  else if (act.vpid === 0 && act.type !== 2)
    return vcpu.enter() ?? { kind: 'error', errno: 'VMfailInvalid', why: 'VPID 0 is the hypervisor itself' };
  else invvpid(vcpu, act.type, lowOf(act.address), highOf(act.address));
  return vcpu.enter() ?? { kind: 'ok', gpa: null, hpa: null, value: 0n };
}
