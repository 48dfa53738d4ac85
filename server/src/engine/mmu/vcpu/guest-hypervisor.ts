/**
 * What a vCPU asks of the state that is kept when its guest is a hypervisor itself (nested_vmx, svm_nested_state). The room
 * `nested` keeps it; a vCPU whose guest runs no guests has {@link NO_GUESTS}.
 */
import type { MmuContext } from '../contexts/mmu-context';
import type { Root } from '../contexts/roots';
import type { InjectedFault } from '../trace';

export interface GuestHypervisor {
  /** Its guest runs, in place of itself (is_guest_mode). */
  readonly guestMode: boolean;
  /** … by nested tables of it (mmu_is_nested). */
  readonly nested: boolean;
  /** A VM entry of it is still to be completed, though it runs itself again: a bug (nested_run_pending). */
  readonly entryPending: boolean;
  /** Contexts with roots besides the vCPU's own. */
  readonly contexts: readonly MmuContext[];
  /** EPTP12 or nCR3, while {@link nested}. */
  readonly rootLo: number;
  readonly rootHi: number;
  /** VPID or ASID of what runs now. @param own the vCPU's */
  vpidOf(own: number): number;
  /** By which its translations are tagged: accesses without a linear address have another one. */
  tagOf(own: number): number;
  /** The event that it injects with the entry that is made now (VM-entry interruption information of vmcs12); null: none. */
  takeEvent(): InjectedFault | null;
  /**
   * A walk failed for which its tables are to blame: it gets the exit.
   *
   * @returns the walk's error code; null: they are not
   */
  takeWalkFault(mmu: MmuContext, status: number): number | null;
  /** A #PF of its guest that it wants to have as an exit. @returns false: it does not */
  takePageFault(fault: InjectedFault): boolean;
  /** Its guest cannot go on: it gets the exit. @returns false: its guest does not run */
  takeTripleFault(): boolean;
  /** What stands in hardware while its guest runs. */
  loadGuest(root: Root): void;
  /** Its guest leaves hardware, if it runs: the hypervisor has something to do. */
  stopGuest(): void;
}

export const NO_GUESTS: GuestHypervisor = {
  guestMode: false,
  nested: false,
  entryPending: false,
  contexts: [],
  rootLo: 0,
  rootHi: 0,
  vpidOf: (own) => own,
  tagOf: (own) => own,
  takeEvent: () => null,
  takeWalkFault: () => null,
  takePageFault: () => false,
  takeTripleFault: () => false,
  loadGuest: () => undefined,
  stopGuest: () => undefined,
};
