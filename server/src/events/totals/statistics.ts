/** How rows count what `kvm_stat` shows (engine/journal/statistics.ts): each by those that KVM writes where it counts. */
import type { StatisticName } from '../../engine/journal/statistics';
import { LocalFlush, RetPf, UserExit } from '../../engine/journal/enumerations';
import type { EventName } from '../../engine/journal/event-table';
import { Role } from '../../engine/mmu/pages/role';
import type { Event, EventOf } from '../fields';

/** What counting has to know of rows before, and of the machine. */
export interface Context {
  /** The host's KVM has TDP pages of its TDP MMU, which its shadow MMU does not count. */
  readonly tdpMmu: boolean;
  /** EPT or NPT on the host: a #PF of a guest's guest is L1's, and KVM injects none. */
  readonly tdp: boolean;
  /** kvm->arch.indirect_shadow_pages of the VM on the host. */
  indirectPages: number;
  /** A leaf was asked for, and the fault is not over. */
  requested: boolean;
  /** The fault was one of write protection, of which it is not known yet whether the instruction is emulated. */
  writeProtected: boolean;
  /** A root was loaded, or CR4.PGE on SVM with nested paging: the flush that follows is made at once, not by a request (kvm_mmu_load, svm_set_cr4). */
  flushesDirectly: boolean;
  /** L1 has entered L2, and no exit came since (nested_run_pending). */
  nestedRunPending: boolean;
}

interface Counting<N extends EventName = EventName> {
  /** Rows of the host's KVM that it is counted by. */
  readonly events: readonly N[];
  /** What one of these adds. */
  counts(event: EventOf<N>, context: Context): number;
}

const counting = <N extends EventName>(spec: Counting<N>): Counting => spec as unknown as Counting;

const each = (): number => 1;
const returned = (event: Event, result: RetPf): number =>
  Number(event.name === 'kvm_mmu_page_fault_return' && event.fields.result === result);
/** A page of the shadow MMU: the TDP MMU's are direct, and a guest's guest has none of them. */
const ofShadowMmu = (role: number, { tdpMmu }: Context): number => Number(!tdpMmu || (role & Role.guestMode) !== 0);
/** Interruption information of a #PF: valid, a hardware exception, vector 14 (SDM vol. 3C, 25.9.2). */
const isPageFault = (information: number): boolean => (information & 0x8000_07ff) >>> 0 === 0x8000_030e;

export const COUNTING: { readonly [N in StatisticName]: Counting } = {
  exits: counting({ events: ['kvm_exit'], counts: each }),
  pf_taken: counting({
    events: ['kvm_mmu_page_fault_return'],
    counts: each,
  }),
  pf_fixed: counting({
    events: ['kvm_mmu_page_fault_return'],
    counts: (event) => returned(event, RetPf.fixed),
  }),
  pf_emulate: counting({
    events: ['kvm_mmu_page_fault_return', 'kvm_emulate_insn'],
    // Of write protection it is known when 6.12 emulates after all (kvm_mmu_write_protect_fault).
    counts: (event, { writeProtected }) => (event.name === 'kvm_emulate_insn' ? Number(writeProtected) : returned(event, RetPf.emulate)),
  }),
  pf_spurious: counting({
    events: ['kvm_mmu_page_fault_return'],
    counts: (event) => returned(event, RetPf.spurious),
  }),
  pf_fast: counting({
    events: ['fast_page_fault'],
    counts: ({ fields: { result } }) => Number(result !== RetPf.invalid),
  }),
  pf_mmio_spte_created: counting({
    events: ['mark_mmio_spte'],
    // Not those that synchronization makes again.
    counts: (_, { requested }) => Number(requested),
  }),
  pf_guest: counting({
    events: ['kvm_inj_exception', 'kvm_nested_vmexit_inject'],
    counts: (event, { tdp }) =>
      event.name === 'kvm_inj_exception' ? Number(event.fields.vector === 14) : Number(!tdp && isPageFault(event.fields.intr_info)),
  }),
  tlb_flush: counting({
    events: ['kvm_x86_flush_tlb'],
    counts: ({ fields: { scope } }, { flushesDirectly }) =>
      Number(scope !== LocalFlush.gva && !(scope === LocalFlush.current && flushesDirectly)),
  }),
  mmio_exits: counting({
    events: ['kvm_userspace_exit'],
    counts: ({ fields: { reason } }) => Number(reason === UserExit.mmio),
  }),
  insn_emulation: counting({
    events: ['kvm_emulate_insn'],
    counts: each,
  }),
  insn_emulation_fail: counting({
    events: ['kvm_emulate_insn'],
    counts: ({ fields: { failed } }) => failed,
  }),
  nested_run: counting({
    events: ['kvm_exit'],
    counts: ({ fields: { guest_mode } }, { nestedRunPending }) => Number(nestedRunPending && guest_mode === 1),
  }),
  mmu_shadow_zapped: counting({
    events: ['kvm_mmu_prepare_zap_page'],
    counts: ({ fields: { role } }, context) => ofShadowMmu(role, context),
  }),
  mmu_cache_miss: counting({
    events: ['kvm_mmu_get_page'],
    counts: ({ fields: { created, role } }, context) => (created === 1 ? ofShadowMmu(role, context) : 0),
  }),
  mmu_pte_write: counting({
    events: ['kvm_mmu_pte_write'],
    counts: (_, { indirectPages }) => Number(indirectPages > 0),
  }),
  mmu_unsync: counting({
    events: ['kvm_mmu_unsync_page', 'kvm_mmu_sync_page'],
    counts: ({ name }) => (name === 'kvm_mmu_unsync_page' ? 1 : -1),
  }),
  remote_tlb_flush_requests: counting({
    events: ['kvm_flush_remote_tlbs'],
    counts: each,
  }),
};
