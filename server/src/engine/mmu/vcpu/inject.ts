/** Faults that KVM raises in a guest (§5.3 P2; x86.c: kvm_inject_emulated_page_fault). */
import { PageFault } from '../../x86/fault-codes';
import type { MmuContext } from '../contexts/mmu-context';
import type { KvmVcpu } from './kvm-vcpu';
import { invalidateGuestAddress } from './vcpu-mmu';

/**
 * The guest's walk failed: its fault waits for the next entry, or is an exit of the hypervisor that runs it.
 *
 * @param also bits of the error code besides the walker's
 * @returns the error code
 */
export function injectWalkFault(vcpu: KvmVcpu, mmu: MmuContext, lo: number, hi: number, status: number, also: number): number {
  const nested = vcpu.guests.takeWalkFault(mmu, status);
  if (nested !== null) return nested;
  const errorCode = mmu.walker.errorCode | also;
  if ((errorCode & PageFault.present) !== 0 && (errorCode & PageFault.reserved) === 0) invalidateGuestAddress(vcpu, mmu, lo, hi, false);
  const fault = { errorCode, lo, hi };
  if (!vcpu.guests.takePageFault(fault)) vcpu.inject(fault);
  return errorCode;
}
