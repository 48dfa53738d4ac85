/**
 * Why a walk failed: the entry that decides, the bit in it, and the rule (§2.4–§2.7, §3.3, §3.5; SDM vol. 3 "Determination of access
 * rights", "EPT misconfigurations", APM vol. 2 "Page-fault exception"). Facts alone; words for them are the views'.
 */
import { ACCESS_FETCH, ACCESS_IMPLICIT, ACCESS_USER, ACCESS_WHAT, ACCESS_WRITE } from '../journal/events';
import { NX_HIGH } from './entries';
import { LEAF } from './formats';
import { Access, Policy, Rights } from './permissions';
import { Walk } from './stage';
import type { Walker } from './walker';

export type Rule =
  /** P = 0; of EPT R = W = X = 0. */
  | 'not-present'
  /** The table that the entry would be in lies where there is no memory. */
  | 'no-table'
  /** The address has bits above those that the tables translate. */
  | 'beyond'
  // Reserved bits, and EPT misconfigurations.
  | 'above-maxphyaddr'
  | 'xd-without-nxe'
  | 'no-large-page'
  | 'large-misaligned'
  | 'reserved'
  | 'write-without-read'
  | 'execute-only'
  | 'memory-type'
  // Rights.
  | 'supervisor-page'
  | 'read-only'
  | 'no-execute'
  | 'smep'
  | 'smap'
  | 'protection-key'
  /** EPT: R, W or X is 0. */
  | 'second-stage-right'
  /** Page-modification logging: the buffer is full. */
  | 'pml-full';

export interface Deciding {
  readonly rule: Rule;
  /** Level of the entry; 0: no entry decides. */
  readonly level: number;
  /** Number of the bit; null: several, or none. */
  readonly bit: number | null;
}

/** What decided the last walk of a walker, which failed in its own tables (not {@link Walk.below}). */
export function deciding(walker: Walker): Deciding {
  const { status, level, format } = walker;
  switch (status) {
    case Walk.notPresent:
      if (isBeyond(walker)) return { rule: 'beyond', level: 0, bit: null };
      if (walker.unreadable(level)) return { rule: 'no-table', level, bit: null };
      return { rule: 'not-present', level, bit: format.ept ? null : 0 };
    case Walk.reserved:
      return { level, ...malformed(walker) };
    case Walk.denied:
      return format.ept ? deniedByEpt(walker) : denied(walker);
    default:
      return { rule: 'pml-full', level: 0, bit: null };
  }
}

function isBeyond({ format: { inputBits }, inHi }: Walker): boolean {
  return inputBits < 64 && (inputBits <= 32 ? inHi !== 0 : inHi >>> (inputBits - 32) !== 0);
}

/** The rule that a malformed entry breaks; of several reserved bits the highest. */
function malformed(walker: Walker): Omit<Deciding, 'level'> {
  const { format, level } = walker;
  const lo = walker.entryLo(level);
  const hi = walker.entryHi(level);
  const leaf = level === 1 || (format.large[level] !== 0 && (lo & format.large[level]) !== 0);
  const at = leaf ? level + LEAF : level;
  const bit = highest(lo & format.reservedLo[at], hi & format.reservedHi[at]);
  if (bit >= 0) return { rule: reservedRule(walker, leaf, bit), bit };
  if (((format.badRights >>> (lo & 7)) & 1) !== 0)
    return (lo & 2) !== 0 ? { rule: 'write-without-read', bit: 1 } : { rule: 'execute-only', bit: 2 };
  return { rule: 'memory-type', bit: null };
}

function reservedRule({ format, level }: Walker, leaf: boolean, bit: number): Rule {
  const { ept, pae, narrow, maxPhyAddr } = format;
  if (bit === 63 && !ept && !(pae && level === 3)) return 'xd-without-nxe';
  // PSE-36 has address bits 39:32 at 20:13.
  if (narrow) return bit === 21 ? 'reserved' : 'above-maxphyaddr';
  if (bit >= maxPhyAddr && bit < 52) return 'above-maxphyaddr';
  if (!leaf && bit === 7 && !(pae && level === 3)) return 'no-large-page';
  return leaf && level > 1 && bit >= 12 && bit < 30 ? 'large-misaligned' : 'reserved';
}

function highest(lo: number, hi: number): number {
  return hi !== 0 ? 63 - Math.clz32(hi) : 31 - Math.clz32(lo);
}

/** Guest tables, shadow tables and nested tables; the order of checks is that of permissions.ts. */
function denied(walker: Walker): Deciding {
  const { rights, policy, level, format, access } = walker;
  if (walker.keyDenied) return { rule: 'protection-key', level, bit: null };
  const what = access & ACCESS_WHAT;
  const implicit = (access & ACCESS_IMPLICIT) !== 0 && !format.userOnly;
  const user = format.userOnly || ((access & ACCESS_USER) !== 0 && !implicit);
  const userPage = (rights & Rights.user) !== 0;
  if (user && !userPage) return { rule: 'supervisor-page', ...topmost(walker, 2) };
  if (what === ACCESS_FETCH) {
    const noExecute = (rights & Rights.noExecute) !== 0 && (policy & Policy.nxe) !== 0;
    return noExecute ? { rule: 'no-execute', ...executeDisabled(walker) } : { rule: 'smep', level, bit: 2 };
  }
  if (!user && userPage && (policy & Policy.smap) !== 0 && (implicit || (access & Access.ac) === 0)) return { rule: 'smap', level, bit: 2 };
  return { rule: 'read-only', ...topmost(walker, 1) };
}

function deniedByEpt(walker: Walker): Deciding {
  const what = walker.access & ACCESS_WHAT;
  return { rule: 'second-stage-right', ...topmost(walker, what === ACCESS_WRITE ? 1 : what === ACCESS_FETCH ? 2 : 0) };
}

/** The highest entry that has not got a bit which all need. */
function topmost(walker: Walker, bit: number): Omit<Deciding, 'rule'> {
  for (const level of levelsOf(walker)) if ((walker.entryLo(level) & (1 << bit)) === 0) return { level, bit };
  return { level: walker.level, bit };
}

function executeDisabled(walker: Walker): Omit<Deciding, 'rule'> {
  const level = levelsOf(walker).find((each) => (walker.entryHi(each) & NX_HIGH) !== 0) ?? walker.level;
  return { level, bit: 63 };
}

/** Levels whose entries have rights, from the first. */
function levelsOf({ firstLevel, level, format }: Walker): number[] {
  const levels = Array.from({ length: firstLevel - level + 1 }, (_, i) => firstLevel - i);
  return format.pae ? levels.filter((each) => each !== 3) : levels;
}
