/** Shadow pages as KVM's tracepoints show them: what is in the `role` and `state` words of their events. */
import { field } from './fields';
import type { Event } from './fields';

/** Parts of `union kvm_mmu_page_role` (mmu-semantics.md §5.1.2; arch/x86/include/asm/kvm_host.h). */
export interface Role {
  readonly level: number;
  /** The guest's entries have 4 bytes. */
  readonly narrow: boolean;
  readonly quadrant: number;
  readonly direct: boolean;
  /** 1 x, 2 w, 4 u. */
  readonly access: number;
  readonly invalid: boolean;
  readonly nx: boolean;
  readonly adDisabled: boolean;
  readonly guestMode: boolean;
}

export interface ShadowPage {
  readonly role: Role;
  readonly gen: number;
  readonly rootCount: number;
  readonly unsync: boolean;
}

export function decodeRole(word: bigint): Role {
  const bits = Number(word & 0xffff_ffffn);
  const flag = (bit: number): boolean => ((bits >>> bit) & 1) !== 0;
  return {
    level: bits & 15,
    narrow: flag(4),
    quadrant: (bits >>> 5) & 3,
    direct: flag(7),
    access: (bits >>> 8) & 7,
    invalid: flag(11),
    nx: flag(12),
    adDisabled: flag(16),
    guestMode: flag(17),
  };
}

/** The shadow page that an event is about, as it was then. */
export function shadowPageOf(event: Event): ShadowPage {
  const state = field(event, 'state') ?? 0n;
  const bits = Number(state & 0xffff_ffffn);
  return { role: decodeRole(field(event, 'role') ?? 0n), gen: bits >>> 1, rootCount: Number(state >> 32n), unsync: (bits & 1) !== 0 };
}

const ACCESS = ['---', '--x', 'w--', 'w-x', '-u-', '-ux', 'wu-', 'wux'];

/** `wux` of role.access, as KVM writes it. */
export function accessLetters(access: number): string {
  return ACCESS[access & 7];
}
