/** The page-fault handler (§5.3, §6.2; mmu.c: kvm_mmu_page_fault). */
import { join } from '../../bits';
import { PageFault } from '../../x86/fault-codes';
import { emulate } from '../emulation/emulator';
import { isLastRetry, unprotectAndRetry } from '../emulation/unprotect';
import { Fault } from '../faults/fault';
import { mmioKnown, mmioPageFault } from '../faults/mmio-sptes';
import { directPageFault } from '../hard/direct-page-fault';
import { failedRun, type Handled } from '../vcpu/instruction';
import type { KvmVcpu } from '../vcpu/kvm-vcpu';
import { shadowPageFault } from '../soft/shadow-page-fault';
import { RetPf } from '../../journal/enumerations';
import { unprotectFrame } from '../pages/zap';

const RESUME: Handled = { kind: 'resume' };

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
  if ((code & PageFault.reserved) !== 0) {
    result = mmioPageFault(vcpu, mmu, lo, hi);
    if (result === RetPf.emulate) return emulate(vcpu, lo, hi, false);
  }
  if (result === RetPf.invalid) {
    const fault = new Fault(lo, hi, code, codeHi, kvm.tdp && mmu.direct);
    result = mmu.direct ? directPageFault(vcpu, mmu, fault) : shadowPageFault(vcpu, mmu, fault);
    const named = result === RetPf.writeProtected && !kvm.rules.writeProtectedResult ? RetPf.emulate : result;
    kvm.trace.emit('kvm_mmu_page_fault_return', { result: named, address: { lo, hi }, error_code: { lo: code, hi: codeHi } });
    if (result === RetPf.error) return failedRun(fault.errno, 'the page at the faulting address cannot be had');
  }
  if (result !== RetPf.emulate && result !== RetPf.writeProtected) return RESUME;
  // PFERR_NESTED_GUEST_PAGE: the processor itself wanted to write a guest's table that is read-only for shadowing.
  const tableWrite = (codeHi & GUEST_PAGE_HIGH) !== 0 && (code & PageFault.present) !== 0 && (code & PageFault.write) !== 0;
  if (!kvm.rules.writeProtectFault) return emulatedFault(vcpu, lo, hi, tableWrite);
  return result === RetPf.writeProtected ? writeProtectFault(vcpu, lo, hi, tableWrite) : emulate(vcpu, lo, hi, false);
}

/** A fault that emulation alone can serve, whatever the reason, as 6.1 goes on with it: protection is given up where there may be some. */
function emulatedFault(vcpu: KvmVcpu, lo: number, hi: number, tableWrite: boolean): Handled {
  const { kvm, mmu } = vcpu;
  if (mmu.direct && tableWrite) {
    unprotectFrame(kvm, Math.floor(join(lo, hi) / 4096));
    return RESUME;
  }
  return emulate(vcpu, lo, hi, !vcpu.guestMode && !mmioKnown(vcpu, mmu, lo, hi));
}

/** A write to a table that has shadow pages (kvm_mmu_write_protect_fault of 6.12). */
function writeProtectFault(vcpu: KvmVcpu, lo: number, hi: number, tableWrite: boolean): Handled {
  if (isLastRetry(vcpu, lo, hi)) return emulate(vcpu, lo, hi, false);
  vcpu.lastRetry = null;
  if (vcpu.mmu.direct && tableWrite && unprotectAndRetry(vcpu, lo, hi)) return RESUME;
  return emulate(vcpu, lo, hi, !vcpu.guestMode);
}
