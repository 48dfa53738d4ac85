/** A vCPU does what was asked of it, in KVM's order (x86.c: vcpu_enter_guest). */
import { LocalFlush } from '../../journal/enumerations';
import { flushTlb } from './flush-tlb';
import type { KvmVcpu } from './kvm-vcpu';
import { freeObsoleteRoots, syncPreviousRoots, syncRoots } from './vcpu-mmu';

export function serveRequests(vcpu: KvmVcpu): void {
  const { requests } = vcpu;
  if (requests.take('freeObsoleteRoots')) freeObsoleteRoots(vcpu);
  if (requests.take('sync')) syncRoots(vcpu);
  requests.take('loadRoot');
  if (requests.take('flushAll')) {
    flushTlb(vcpu, LocalFlush.all);
    requests.take('flushCurrent');
  }
  serveLocalFlushes(vcpu);
}

/** kvm_service_local_tlb_flush_requests */
export function serveLocalFlushes(vcpu: KvmVcpu): void {
  const { requests, kvm } = vcpu;
  if (requests.take('flushCurrent')) flushTlb(vcpu, LocalFlush.current);
  if (!requests.take('flushGuest')) return;
  if (!kvm.tdp) {
    syncRoots(vcpu);
    syncPreviousRoots(vcpu);
  }
  flushTlb(vcpu, LocalFlush.guest);
}
