/** A property tried for a round, and what broke it, as small as it could be made. */
import fc from 'fast-check';
import type { Found, Round } from './fuzzers';

/** Milliseconds that a single input may take: a person waits no longer. */
const MOST_TIME = 2000;
/** Inputs of a round. */
const RUNS = 100;
/** Milliseconds of a round, with making a failing input smaller. */
const MOST_OF_ROUND = 60_000;

export class TakesTooLong extends Error {}

/** Runs a check of one input and holds it to its time. */
export function timed(check: () => void): void {
  const before = process.cpuUsage();
  check();
  const { user, system } = process.cpuUsage(before);
  const took = Math.round((user + system) / 1000);
  if (took > MOST_TIME) throw new TakesTooLong(`takes ${took} ms`);
}

export async function checked<T>(
  arbitrary: fc.Arbitrary<T>,
  seed: number,
  check: (input: T) => void | Promise<void>,
  print: (input: T) => string | null,
  runs = RUNS,
): Promise<Round> {
  const property = fc.asyncProperty(arbitrary, async (input) => check(input));
  const details = await fc.check(property, { seed, numRuns: runs, interruptAfterTimeLimit: MOST_OF_ROUND });
  if (!details.failed || details.counterexample === null) return { tried: details.numRuns, found: null };
  const [input] = details.counterexample;
  const error = details.errorInstance;
  const found: Found = { message: error instanceof Error ? (error.stack ?? error.message) : String(error), input: print(input) };
  return { tried: details.numRuns, found };
}
