/** What a vCPU's shadow and TDP tables say of an address. Looks only. */
import { toBigInt } from '../../bits';
import type { FoundEntry } from '../../inspection';
import type { Kvm } from '../pages/kvm';
import type { KvmVcpu } from '../vcpu/kvm-vcpu';
import { Role } from '../pages/role';
import { NO_ROOT, type Root } from '../contexts/roots';
import { ShadowWalk } from '../contexts/shadow-walk';

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
