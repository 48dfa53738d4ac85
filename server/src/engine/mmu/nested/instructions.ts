/** What L0 does for instructions of an L1 hypervisor that exit (§7.5, §7.7; vmx/nested.c: handle_invept, handle_invvpid; svm.c). */
import { highOf, lowOf } from '../../bits';
import type { Act } from '../../program';
import { VmxExit } from '../../x86/exit-reasons';
import { DONE, type Completion } from '../vcpu/instruction';
import type { KvmVcpu } from '../vcpu/kvm-vcpu';
import { canonical } from '../exits/invlpg-invpcid';
import { Role } from '../pages/role';
import { invalidateGuestAddress } from '../vcpu/vcpu-mmu';
import { isValidEptp, VmError } from './entry-checks';
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
  const { parts, kvm } = vcpu;
  const name = act.do.toUpperCase();
  if (parts.vendor === 'amd') return undefinedOpcode(`AMD processors have no ${name}`);
  if (act.do === 'invept' ? !kvm.tdp : !parts.rules.features.vpid) return undefinedOpcode(`KVM offers no ${name} to this guest`);
  const failed = vcpu.enter();
  if (failed !== null) return failed;
  vcpu.exited(act.do === 'invept' ? VmxExit.INVEPT : VmxExit.INVVPID, NO_INFO);
  vcpu.rip += LENGTH;
  const why = act.do === 'invept' ? whyNoInvept(vcpu, act) : whyNoInvvpid(vcpu, act);
  if (why !== null) return vcpu.enter() ?? vmFail(nesting, why);
  if (nesting !== null) {
    if (act.do === 'invept') invept(nesting, act.type as 1 | 2, lowOf(act.eptp), highOf(act.eptp));
    else invvpid(nesting, act.type as 0 | 1 | 2 | 3, lowOf(act.address), highOf(act.address));
  }
  return vcpu.enter() ?? DONE;
}

/** What handle_invept refuses; null: nothing. */
function whyNoInvept(vcpu: KvmVcpu, { type, eptp }: Extract<Act, { do: 'invept' }>): string | null {
  if (type !== 1 && type !== 2) return `INVEPT has no type ${type}`;
  return type === 2 || isValidEptp(vcpu, lowOf(eptp), highOf(eptp)) ? null : 'the EPTP is not valid';
}

/** What handle_invvpid refuses; null: nothing. */
function whyNoInvvpid(vcpu: KvmVcpu, { type, vpid, address }: Extract<Act, { do: 'invvpid' }>): string | null {
  if (type < 0 || type > 3) return `INVVPID has no type ${type}`;
  if (type === 2) return null;
  if (vpid === 0) return 'VPID 0 is the hypervisor itself';
  return type !== 0 || canonical(vcpu, highOf(address)) ? null : 'the address is not canonical';
}

function undefinedOpcode(why: string): Completion {
  return { kind: 'error', errno: '#UD', why };
}

/** VMfail: there is a VMCS that takes the error, or there is none (nested_vmx_fail). */
function vmFail(nesting: Nesting | null, why: string): Completion {
  if (nesting === null) return { kind: 'error', errno: 'VMfailInvalid', why };
  return { kind: 'error', errno: 'VMfailValid', why, vmInstructionError: VmError.invalidOperand };
}
