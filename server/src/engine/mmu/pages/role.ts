/**
 * Role of a shadow page (§5.1.2; kvm_host.h: union kvm_mmu_page_role): the bits of CPU state that make two shadow pages of
 * one guest frame differ. Packed in a 32-bit word as in 6.1.
 */
import { Rights } from '../../x86/permissions';

/** Access of a role and of guest entries (kvm: ACC_EXEC_MASK, ACC_WRITE_MASK, ACC_USER_MASK). */
export enum Acc {
  exec = 1,
  write = 2,
  user = 4,
}
export const ACC_ALL = Acc.exec | Acc.write | Acc.user;

export enum Role {
  /** Mask of the paging level, 1 to 5. */
  level = 0xf,
  /** The guest table has 4-byte entries. */
  narrow = 1 << 4,
  /** Which part of a 4-byte table: mask of bits 6:5. */
  quadrant = 3 << 5,
  /** A linear range, not the mirror of a guest table. */
  direct = 1 << 7,
  /** Mask of {@link Acc}: rights of all parent entries taken together. */
  access = 7 << 8,
  invalid = 1 << 11,
  eferNx = 1 << 12,
  cr0Wp = 1 << 13,
  smepAndNotWp = 1 << 14,
  smapAndNotWp = 1 << 15,
  adDisabled = 1 << 16,
  guestMode = 1 << 17,
  passthrough = 1 << 18,
}
const QUADRANT_SHIFT = 5;
const ACCESS_SHIFT = 8;

/** Bits in which a page may differ from the root's role when it is synchronized (paging_tmpl.h: sync_page). */
export const SYNC_IGNORES = Role.level | Role.access | Role.quadrant | Role.passthrough;

export function levelOf(role: number): number {
  return role & Role.level;
}

export function accessOf(role: number): number {
  return (role >>> ACCESS_SHIFT) & 7;
}

export function quadrantOf(role: number): number {
  return (role >>> QUADRANT_SHIFT) & 3;
}

export function withLevel(role: number, level: number): number {
  return (role & ~Role.level) | level;
}

export function withAccess(role: number, access: number): number {
  return (role & ~Role.access) | (access << ACCESS_SHIFT);
}

export function withQuadrant(role: number, quadrant: number): number {
  return (role & ~Role.quadrant) | (quadrant << QUADRANT_SHIFT);
}

/**
 * Role of a page under an entry of another one (mmu.c: kvm_mmu_child_role).
 *
 * @param index of the entry: under 4-byte guest tables its lowest bit is address bit 21, which half of the guest's table is meant
 */
export function childRole(parent: number, index: number, direct: boolean, access: number): number {
  let role = withAccess(withLevel(parent, levelOf(parent) - 1), access) & ~(Role.direct | Role.passthrough);
  if (direct) role |= Role.direct;
  if ((role & Role.narrow) !== 0) role = withQuadrant(role, index & 1);
  return role;
}

const ACCESS_NAMES = ['---', '--x', 'w--', 'w-x', '-u-', '-ux', 'wu-', 'wux'];

/** Rights as KVM's traces print them: `wux`, `-` where denied. */
export function accessText(access: number): string {
  return ACCESS_NAMES[access & 7];
}

/** Rights of guest entries as a shadow page's role has them; of EPT entries, R stands for user. */
export function accOfRights(rights: number, ept: boolean): number {
  const bit = (right: number, acc: Acc): number => ((rights & right) !== 0 ? acc : 0);
  if (ept) return bit(Rights.hostRead, Acc.user) | bit(Rights.hostWrite, Acc.write) | bit(Rights.hostExecute, Acc.exec);
  return bit(Rights.user, Acc.user) | bit(Rights.write, Acc.write) | ((rights & Rights.noExecute) === 0 ? Acc.exec : 0);
}
