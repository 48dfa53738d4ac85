/** A page fault on its way through the handler (mmu_internal.h: struct kvm_page_fault). */
import type { Slot } from '../../memory/slots';
import { PageFault } from '../../x86/fault-codes';
import type { Kvm } from '../pages/kvm';

export class Fault {
  readonly write: boolean;
  readonly user: boolean;
  readonly exec: boolean;
  readonly present: boolean;
  readonly reserved: boolean;

  /** Frame wanted, in the guest's memory. */
  gfn = 0;
  slot: Slot | null = null;
  /** Frame found, at the level of the leaf; meaningless without a slot. */
  pfn = 0;
  mapWritable = false;
  /** mmu_invalidate_seq before the frame was looked for. */
  sequence = 0;
  /** Level that host page and slot allow (§4.6 conditions 1 and 2). */
  hostLevel = 1;
  /** Level up to which the guest's own mapping goes. */
  maxLevel = 3;
  /** Level of the leaf to be made. */
  goalLevel = 1;
  /** Why KVM_RUN fails, after RetPf.error. */
  errno = '';

  /**
   * @param lo linear address; with TDP guest-physical
   * @param code low half of the error code ({@link PageFault} bits)
   * @param codeHi of a nested page fault: bits 32 (final access), 33 (guest tables)
   * @param tdp the fault is one of the second stage
   */
  constructor(
    readonly lo: number,
    readonly hi: number,
    readonly code: number,
    readonly codeHi: number,
    readonly tdp: boolean,
  ) {
    this.write = (code & PageFault.write) !== 0;
    this.user = (code & PageFault.user) !== 0;
    this.exec = (code & PageFault.fetch) !== 0;
    this.present = (code & PageFault.present) !== 0;
    this.reserved = (code & PageFault.reserved) !== 0;
  }
}

/** A write to a frame that holds a shadowed upper table, which no handler can fix (page_fault_handle_page_track). */
export function isTrackedWrite(kvm: Kvm, fault: Fault): boolean {
  return !fault.reserved && fault.present && fault.write && fault.slot !== null && kvm.track.tracked(fault.gfn);
}
