/** Judges a run by the recorded one, operation by operation and tier by tier. */
import { COMPARED } from './compared-fields';
import type { FieldName, Reading, Tier } from './compared-fields';
import type { Digest } from './digest';
import type { Line } from './lines';

export const TIERS: readonly Tier[] = ['A', 'B', 'C', 'R', 'F'];
/** Tiers of what digests say, by the field. */
export const OF_DIGESTS: { readonly [tier in Tier]?: 'raw' | 'flush' } = { R: 'raw', F: 'flush' };

export interface Mismatch {
  readonly scenario: string;
  readonly op: number;
  readonly text: string;
  readonly tier: Tier;
  /** Null: one side has no line for the operation. */
  readonly field: FieldName | null;
  readonly recorded: unknown;
  readonly actual: unknown;
}

export interface Comparison {
  /** Operations that match, of those compared. */
  readonly tiers: Readonly<Record<Tier, { matched: number; compared: number }>>;
  readonly mismatches: Mismatch[];
}

export function emptyComparison(): Comparison {
  const none = () => ({ matched: 0, compared: 0 });
  return { tiers: { A: none(), B: none(), C: none(), R: none(), F: none() }, mismatches: [] };
}

/**
 * Lines of a recorded form, one an operation; those before operation 0 are the interpreter's warm-up.
 *
 * @param digest of the recording
 */
export function readLines(text: string, digest?: Digest): Line[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const ops = lines.map((line) => JSON.parse(line) as Line).filter(({ i }) => i >= 0);
  return digest === undefined ? ops : ops.map((line) => ({ ...line, ...(digest.get(line.i) ?? { raw: [], flush: [] }) }));
}

/** Compares the operations of one scenario; adds to `into`. */
export function compareLines(recorded: readonly Line[], actual: readonly Line[], reading: Reading, into: Comparison): void {
  const actualByOp = new Map(actual.map((line) => [line.i, line]));
  for (const line of recorded) compareOperation(line, actualByOp.get(line.i), reading, into);
  const ops = new Set(recorded.map(({ i }) => i));
  for (const line of actual) if (!ops.has(line.i)) allMissing(line, into, undefined, line);
}

function compareOperation(recorded: Line, actual: Line | undefined, reading: Reading, into: Comparison): void {
  if (actual === undefined) return allMissing(recorded, into, recorded, undefined);
  const found: Mismatch[] = [];
  for (const [field, { tier, of, accepts }] of COMPARED) {
    const [wanted, got] = [of(recorded, reading), of(actual, reading)];
    if (!compares(recorded, tier)) continue;
    if (JSON.stringify(wanted) === JSON.stringify(got) || accepts?.(wanted as never, got as never, reading.mode) === true) continue;
    found.push({ scenario: recorded.s, op: recorded.i, text: recorded.t, tier, field, recorded: wanted, actual: got });
  }
  for (const tier of TIERS) {
    if (!compares(recorded, tier)) continue;
    into.tiers[tier].compared++;
    if (!found.some((each) => each.tier === tier)) into.tiers[tier].matched++;
  }
  into.mismatches.push(...found);
}

/** What is not in lines is compared where a digest said it. */
function compares(recorded: Line, tier: Tier): boolean {
  const field = OF_DIGESTS[tier];
  return field === undefined || recorded[field] !== undefined;
}

function allMissing({ s, i, t }: Line, into: Comparison, recorded: unknown, actual: unknown): void {
  for (const tier of TIERS) {
    if (OF_DIGESTS[tier] !== undefined) continue;
    into.tiers[tier].compared++;
    into.mismatches.push({ scenario: s, op: i, text: t, tier, field: null, recorded, actual });
  }
}
