/**
 * Steps of KVM's handlers between which something else of the machine can happen: another vCPU's handler, a notifier of the
 * host. What a handler knows stands in its fault and on its stack, so that it can be left at any of them.
 */
export type HandlerStep =
  /** mmu_invalidate_seq has been read: what is found out from here on holds if it is still the same under the lock. */
  | 'sequence read'
  /** mmu_lock is held: until the handler ends, tables change by nobody else. */
  | 'lock taken'
  /** An entry has been written, by which processors can walk from now on. */
  | 'entry written'
  /** No vCPU goes on by a translation from before (kvm_flush_remote_tlbs). */
  | 'flush sent';
