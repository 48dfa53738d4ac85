/** What a script expects of an act, where that tells whether something is a mistake. */
import type { Expect, Expectation } from '../syntax/tree';
import type { ScriptLowering } from './script';

/** Whether an act is expected to end in #GP, so that it is no mistake. */
export function expectsGp(script: ScriptLowering, expects: readonly Expect[]): boolean {
  return expectsSome(script, expects, (each) => each.kind === 'expect-fault' && each.fault === '#GP');
}

export function expectsError(script: ScriptLowering, expects: readonly Expect[]): boolean {
  return expectsSome(script, expects, (each) => each.kind === 'expect-error');
}

function expectsSome(script: ScriptLowering, expects: readonly Expect[], wanted: (each: Expectation) => boolean): boolean {
  return expects.some((expect) => script.run.isUnder(expect.under) && expect.of.some(wanted));
}
