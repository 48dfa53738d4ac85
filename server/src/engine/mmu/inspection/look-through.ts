/** What a vCPU's shadow and TDP tables say of an address. Looks only. */
import { toBigInt } from '../../bits';
import type { FoundEntry } from '../../inspection';
import type { Kvm } from '../pages/kvm';
import type { KvmVcpu } from '../vcpu/kvm-vcpu';
import { Role } from '../pages/role';
import { NO_ROOT, type Root } from '../contexts/roots';
import { framesAt, indexOf } from '../pages/shadow-page';
import { ShadowWalk } from '../contexts/shadow-walk';

/** Guest-physical address behind a linear one that shadow tables led to a host-physical address; null: it cannot be said. */
export function gpaByShadow(vcpu: KvmVcpu, lo: number, hi: number, host: number): number | null {
  const { kvm, mmu } = vcpu;
  for (const walk = new ShadowWalk(kvm, lo, hi, mmu.roots.current); walk.ok; walk.next()) {
    const spteLo = kvm.tables.low(walk.at);
    if (!kvm.format.present(spteLo) || !kvm.format.last(spteLo, walk.level)) continue;
    const page = kvm.pages.holding(walk.at);
    const offset = Math.floor(host / 4096) - kvm.format.pfn(spteLo, kvm.tables.high(walk.at));
    if (page === null || offset < 0 || offset >= framesAt(walk.level)) return null;
    return (page.gfnAt(indexOf(walk.at)) + offset) * 4096 + (host % 4096);
  }
  return null;
}

/** The root by which its guest itself runs, also while the guest of that does. */
export function ownRoot(vcpu: KvmVcpu): Root {
  const { current, previous } = vcpu.rootMmu.roots;
  if (!vcpu.guestMode || vcpu.nested) return current;
  const own = (root: Root): boolean => root.page !== null && (root.page.role & Role.guestMode) === 0;
  return own(current) ? current : (previous.find(own) ?? NO_ROOT);
}

/** The entry of a root's tables on the way of an address; level 0: the last one. */
export function shadowEntry(kvm: Kvm, root: Root, lo: number, hi: number, level: number): FoundEntry | null {
  let found: FoundEntry | null = null;
  for (const walk = new ShadowWalk(kvm, lo, hi, root); walk.ok; walk.next()) {
    found = { level: walk.level, at: walk.at, value: toBigInt(kvm.tables.low(walk.at), kvm.tables.high(walk.at)) };
    if (walk.level === level) return found;
  }
  return level === 0 ? found : null;
}
