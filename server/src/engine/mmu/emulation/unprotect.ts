/**
 * Giving up the protection of a guest table for an instruction that hardly anybody uses to write one: its shadow pages go, and the
 * guest tries again (x86.c: retry_instruction, reexecute_instruction of 6.1; mmu.c: __kvm_mmu_unprotect_gfn_and_retry of 6.12).
 */
import { join } from '../../bits';
import { PageFault } from '../../x86/fault-codes';
import { Walk } from '../../x86/stage';
import { unprotectFrame } from '../pages/zap';
import type { Instruction } from '../vcpu/instruction';
import type { KvmVcpu } from '../vcpu/kvm-vcpu';

/**
 * The instruction is about to be emulated: is it tried again instead?
 *
 * @param lo what faulted: linear address; of a direct MMU guest-physical
 * @param allowRetry the fault was one that giving up protection can help (EMULTYPE_ALLOW_RETRY_PF)
 */
export function givesUpProtection(vcpu: KvmVcpu, { kind }: Instruction, lo: number, hi: number, allowRetry: boolean): boolean {
  // x86_page_table_writing_insn: MOV is, ADD is not; nor is a load that faults on a walk.
  const unlikely = kind !== 'write';
  if (vcpu.kvm.rules.writeProtectFault) return allowRetry && unlikely && unprotectAndRetry(vcpu, lo, hi);
  const again = isLastRetry(vcpu, lo, hi);
  vcpu.lastRetry = null;
  if (!allowRetry || !unlikely || again) return false;
  vcpu.lastRetry = { rip: vcpu.rip, lo, hi };
  const gpa = guestPhysical(vcpu, lo, hi);
  if (gpa >= 0) unprotectFrame(vcpu.kvm, frameOf(gpa));
  return true;
}

/** The same instruction faulted on the same address when protection was given up last. */
export function isLastRetry({ lastRetry, rip }: KvmVcpu, lo: number, hi: number): boolean {
  return lastRetry !== null && lastRetry.rip === rip && lastRetry.lo === lo && lastRetry.hi === hi;
}

/** An instruction is emulated that no fault on protection is the reason of. */
export function otherEmulated(vcpu: KvmVcpu): void {
  if (!vcpu.kvm.rules.writeProtectFault) vcpu.lastRetry = null;
}

/** Zap the shadow pages of the table that was to be written. @returns there were some (__kvm_mmu_unprotect_gfn_and_retry) */
export function unprotectAndRetry(vcpu: KvmVcpu, lo: number, hi: number): boolean {
  const { kvm } = vcpu;
  if (kvm.pages.indirect === 0) return false;
  const gpa = guestPhysical(vcpu, lo, hi);
  if (gpa < 0 || !unprotectFrame(kvm, frameOf(gpa))) return false;
  vcpu.lastRetry = { rip: vcpu.rip, lo, hi };
  return true;
}

/** Emulation failed: can running the instruction again help? (reexecute_instruction) */
export function reexecutes(vcpu: KvmVcpu, lo: number, hi: number, writesOwnTable: boolean): boolean {
  const { kvm, mmu } = vcpu;
  const gpa = guestPhysical(vcpu, lo, hi);
  if (gpa < 0) return true;
  if (kvm.guest.address(gpa, true) < 0) return false;
  if (!mmu.direct || kvm.pages.indirect > 0) unprotectFrame(kvm, frameOf(gpa));
  return mmu.direct || !writesOwnTable;
}

/** Guest-physical address of what faulted, as a supervisor's write finds it (kvm_mmu_gva_to_gpa_write); -1: none. */
function guestPhysical(vcpu: KvmVcpu, lo: number, hi: number): number {
  if (vcpu.mmu.direct) return join(lo, hi);
  const code = PageFault.write | (vcpu.instruction?.user ? PageFault.user : 0);
  return vcpu.walkMmu.walk(lo, hi, code, vcpu.alignmentCheck) === Walk.ok ? vcpu.walkMmu.reached : -1;
}

function frameOf(gpa: number): number {
  return Math.floor(gpa / 4096);
}
