/** What shadow and TDP tables say of an address. Looks only. */
import { toBigInt } from '../../bits';
import type { FoundEntry } from '../../inspection';
import type { Kvm } from '../pages/kvm';
import type { Root } from '../contexts/roots';
import { ShadowWalk } from '../contexts/shadow-walk';

/** The entry of a root's tables on the way of an address; level 0: the last one. */
export function shadowEntry(kvm: Kvm, root: Root, lo: number, hi: number, level: number): FoundEntry | null {
  let found: FoundEntry | null = null;
  for (const walk = new ShadowWalk(kvm, lo, hi, root); walk.ok; walk.next()) {
    found = { level: walk.level, at: walk.at, value: toBigInt(kvm.tables.low(walk.at), kvm.tables.high(walk.at)) };
    if (walk.level === level) return found;
  }
  return level === 0 ? found : null;
}
