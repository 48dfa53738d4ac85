/** Counts as expectations compare and name them. */
import type { ExpectationResult } from '../engine/result';

/** How a count is compared with that which is expected. */
type Comparison = '==' | '<=' | '>=';

export function compares(actual: number, compare: Comparison, count: number): boolean {
  return compare === '==' ? actual === count : compare === '<=' ? actual <= count : actual >= count;
}

/** As it stands before the number. */
export const comparison = (compare: Comparison): string => (compare === '==' ? '' : `${compare} `);

/** KVM's names for the intercepted #PF, which the language calls `#PF` on both vendors. */
const PAGE_FAULT_EXITS = ['EXCEPTION_NMI', 'PF excp'];

/** @param wanted as the language has it */
export function isReason(reason: string, wanted: string): boolean {
  return reason === wanted || (wanted === '#PF' && PAGE_FAULT_EXITS.includes(reason));
}

/** Verdict on a count. @param got in words; `instead` is the expectation that would hold */
export function counted(holds: boolean, expected: string, got: string, instead: string): ExpectationResult {
  return { kind: 'expectation', holds, expected, got, instead: holds ? null : instead };
}
