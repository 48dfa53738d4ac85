/** What an L1 hypervisor has put into its control structure for a guest (vmcs12, vmcb12), as VM entry reads it (§7.1). */
import type { WrittenFields } from '../../journal/event-table';
import type { Context } from '../../vcpu/processor-context';
import type { Registers } from '../../vcpu/registers';
import type { ExitInfo, InjectedFault } from '../trace';
import type { ControlFields } from './control-fields';

export interface Control {
  /** Guest-physical address of the structure. */
  readonly address: number;
  /** Tables that L1 has its guest walked by: its first stage, and L1's EPT or nested tables. */
  readonly context: Context;
  /** EPTP or nCR3; meaningless without a second stage. */
  readonly rootLo: number;
  readonly rootHi: number;
  /** CR3 of the guest, as {@link load} loads it. */
  readonly cr3Lo: number;
  readonly cr3Hi: number;
  /** VPID or ASID; 0: L1 gives none. */
  readonly vpid: number;
  readonly rip: number;
  /** What L1 has its guest intercepted for (AMD). */
  readonly intercepts: WrittenFields<'kvm_nested_intercepts'>;
  /** Event that L1 injects with this entry. */
  readonly event: InjectedFault | null;
  /** What the script has put there; null: a KVM fills it in, and VM entry finds nothing wrong with it. */
  readonly fields: ControlFields | null;
  /** VMLAUNCH has succeeded with it. */
  readonly launched: boolean;
  /** Where page-modification logging has its buffer and index; null: L1 wants none. */
  readonly pml: Registers | null;
  /** The guest runs by EPT or nested tables of L1. */
  readonly nested: boolean;
  /** L1 wants a #PF of its guest with this error code. */
  interceptsPageFault(errorCode: number): boolean;
  /** The guest that runs by it leaves hardware. */
  stopGuest(): void;
  /** The guest's state, as it is to be loaded. */
  load(into: Registers): void;
}

/** An exit of L2 as L1 sees it. */
export interface Reflected {
  readonly reason: number;
  readonly info: ExitInfo;
  /** Guest-physical address field (Intel). */
  readonly gpaLo: number;
  readonly gpaHi: number;
}
