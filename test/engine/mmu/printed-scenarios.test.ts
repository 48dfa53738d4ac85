/** Random programs as scenarios: the text that a failure is told with parses, lowers and runs to the same. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { execute } from '../../../server/src/run/execute';
import type { Program } from '../../../server/src/engine/program';
import { programAsScenario } from '../../support/as-scenario';
import { opened } from '../../support/scripts';
import { programOf, worldPrograms } from './world-programs';
import { anyWorld } from './worlds';

/** Result, exits and references of each act. */
const outcomesOf = (program: Program): unknown[] =>
  execute(program).outcomes.map(({ result, exits, references }) => ({ result: { ...result, why: '' }, exits, references }));

describe('printed scenarios', function () {
  this.timeout(0);
  it('run to the same outcomes as the program, in every world', () => {
    fc.assert(
      fc.property(anyWorld, worldPrograms(20), (world, steps) => {
        const program = programOf(world, steps);
        const text = programAsScenario(program);
        const { problems, programs } = opened(text).analysis.lower();
        const errors = problems.filter(({ severity }) => severity === 'error');
        assert.deepEqual(
          errors.map(({ message }) => message),
          [],
          text,
        );
        assert.equal(programs.length, 1);
        // Without the `check invariants` at its end.
        assert.deepEqual(outcomesOf(programs[0]).slice(0, -1), outcomesOf(program), text);
      }),
      { numRuns: 60 },
    );
  });
});
