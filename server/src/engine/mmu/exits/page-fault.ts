/** The page-fault handler (§5.3, §6.2; mmu.c: kvm_mmu_page_fault). */
import { PageFault } from '../../x86/fault-codes';
import { emulate } from '../emulation/emulator';
import { Fault } from '../faults/fault';
import { mmioKnown, mmioPageFault } from '../faults/mmio-sptes';
import { directPageFault } from '../hard/direct-page-fault';
import { failedRun, type Handled } from '../vcpu/instruction';
import type { KvmVcpu } from '../vcpu/kvm-vcpu';
import { shadowPageFault } from '../soft/shadow-page-fault';
import { RetPf } from '../../journal/enumerations';
import { unprotectFrame } from '../pages/zap';

/** Bit 33 of the error code: the access was one to a guest's table. */
const GUEST_PAGE_HIGH = 2;

/**
 * @param lo linear address; with TDP guest-physical
 * @param code error code: {@link PageFault} bits, and bits 32 and 33 of a nested fault in `codeHi`
 */
export function handlePageFault(vcpu: KvmVcpu, lo: number, hi: number, code: number, codeHi: number): Handled {
  if (vcpu.mode.script !== null) return { kind: 'done', completion: vcpu.mode.script.exit() };
  const { kvm, mmu } = vcpu;
  let result = RetPf.invalid;
  let mayRetry = !vcpu.guestMode;
  if ((code & PageFault.reserved) !== 0) {
    result = mmioPageFault(vcpu, mmu, lo, hi);
    if (result === RetPf.emulate) return emulate(vcpu, lo, hi, false);
  }
  if (result === RetPf.invalid) {
    const fault = new Fault(lo, hi, code, codeHi, kvm.tdp && mmu.direct);
    result = mmu.direct ? directPageFault(vcpu, mmu, fault) : shadowPageFault(vcpu, mmu, fault);
    kvm.trace.emit('kvm_mmu_page_fault_return', { result, address: { lo, hi }, error_code: { lo: code, hi: codeHi } });
    if (kvm.rules.readonlySlotIsEmulated && fault.slot?.readonly === true) mayRetry = false;
    if (result === RetPf.error) return failedRun(fault.errno, 'the page at the faulting address cannot be had');
  }
  if (result !== RetPf.emulate) return { kind: 'resume' };

  const tableWrite = (codeHi & GUEST_PAGE_HIGH) !== 0 && (code & PageFault.present) !== 0 && (code & PageFault.write) !== 0;
  if (mmu.direct && tableWrite) {
    // The processor itself wanted to write a page that is read-only for shadowing: let it.
    unprotectFrame(kvm, Math.floor(((hi >>> 0) * 0x1_0000_0000 + (lo >>> 0)) / 4096));
    return { kind: 'resume' };
  }
  return emulate(vcpu, lo, hi, mayRetry && !mmioKnown(vcpu, mmu, lo, hi));
}
