/**
 * Random programs of an L2 under every combination of what L1 and L0 do: L2 sees what a guest of one level sees (mmu-semantics.md
 * §9, groups X and N), and every invariant of both hypervisors holds after each act. Host acts come from L0's user space and from
 * L1's in turn.
 */
import assert from 'node:assert/strict';
import type fc from 'fast-check';
import type { Act } from '../../../../server/src/engine/program';
import { NESTED_KINDS, asNested, machineOf, type NestedKind } from './nested-kinds';
import { actsOfAll, assertFor, machineFor, programs, rightsPrograms, scenarioOf, seen, type Step } from '../random-programs';

/** Programs a property; more when asked for. */
const RUNS = Number(process.env.NESTED_RUNS ?? 8);
/** Acts about a slot's dirty log: one VMM does all of a program, since what one logs the other knows nothing of. */
const LOGGING: ReadonlySet<Act['do']> = new Set<Act['do']>(['slot-flags', 'get-dirty-log', 'clear-dirty-log']);

function run(kind: NestedKind, steps: readonly Step[], check: boolean): string[] {
  const bench = machineOf(kind);
  const results: string[] = [];
  let hostActs = 0;
  for (const { step, act } of actsOfAll(steps)) {
    const byL0 = LOGGING.has(act.do) ? steps.length % 2 === 0 : 'vm' in act && hostActs++ % 2 === 0;
    const { result } = bench.machine.perform(asNested(act, byL0));
    results.push(`${act.do}: ${seen(result)}`);
    if (check) assert.deepEqual(bench.machine.brokenInvariants(), [], `${kind.name} after ${JSON.stringify(step)}`);
  }
  return results;
}

function runOneLevel(steps: readonly Step[]): string[] {
  const bench = machineFor('ept');
  return [...actsOfAll(steps)].map(({ act }) => `${act.do}: ${seen(bench.machine.perform(act).result)}`);
}

describe('random programs of a nested guest', function () {
  this.timeout(0);
  for (const kind of NESTED_KINDS) {
    it(`keep every invariant under ${kind.name}`, () => {
      assertFor(
        programs(25),
        RUNS,
        (steps) => void run(kind, steps, true),
        (steps) => scenarioOf(steps, 'soft', {}, ['soft']),
      );
    });
  }

  it('show L2 what a guest of one level sees', () => sameAsOneLevel(programs(40), 2 * RUNS));

  it('grant and deny the same rights', () => sameAsOneLevel(rightsPrograms, RUNS));
});

function sameAsOneLevel(steps: fc.Arbitrary<Step[]>, numRuns: number): void {
  const same = (program: readonly Step[]): void => {
    const reference = runOneLevel(program);
    for (const kind of NESTED_KINDS) assert.deepEqual(run(kind, program, false), reference, `${kind.name} differs from one level`);
  };
  assertFor(steps, numRuns, same, (program) => scenarioOf(program, 'ept', {}, ['ept']));
}
