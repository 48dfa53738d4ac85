/** Runs of every kind, for properties of views: all samples, and random programs of one guest and of a guest's guest. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { runScript } from '../../server/src/api/engine';
import { openScript } from '../../server/src/api/language';
import type { Program } from '../../server/src/engine/program';
import { execute } from '../../server/src/run/execute';
import { RunView } from '../../server/src/views/view';
import { NESTED_KINDS, asNested, nestedOf } from '../engine/mmu/nested/nested-kinds';
import { nestedProgram } from '../engine/mmu/nested/nested-machines';
import { senselessAct, senselessMachine } from '../engine/mmu/nested/senseless-programs';
import { actsOfAll, programs } from '../engine/mmu/random-programs';
import { programOf, worldPrograms } from '../engine/mmu/world-programs';
import { anyWorld } from '../engine/mmu/worlds';

/** Programs a property; more when asked for. */
const RUNS = Number(process.env.WAY_RUNS ?? 20);
const SEED = Number(process.env.WAY_SEED ?? 1);

/**
 * Tests of a property of runs.
 *
 * @param title of what is held, as `does what it did`
 * @param holds asserts it, and says how often
 */
export function holdsForAllRuns(title: string, holds: (view: RunView) => number): void {
  for (const name of readdirSync('samples', { recursive: true, encoding: 'utf8' }).filter((each) => each.endsWith('.mmu'))) {
    it(`${title} in ${name}`, () => {
      const path = join('samples', name);
      const script = openScript(readFileSync(path, 'utf8'), pathToFileURL(path).href, {
        read: (each) => readFileSync(new URL(each), 'utf8'),
      });
      assert.ok(runScript(script, {}).reduce((sum, view) => sum + holds(view), 0) > 0);
    });
  }

  for (const kind of NESTED_KINDS) {
    it(`${title} for a guest's guest, ${kind.name}`, () => {
      fc.assert(
        fc.property(programs(20), (steps) => {
          let hostActs = 0;
          const acts = [...actsOfAll(steps)].map(({ act }) => asNested(act, 'vm' in act && hostActs++ % 2 === 0));
          holds(viewOf(nestedProgram(nestedOf(kind), acts)));
        }),
        { numRuns: Math.ceil(RUNS / 10), seed: SEED },
      );
    });
  }

  it(`${title} in programs without sense for nested guests`, () => {
    fc.assert(
      fc.property(senselessMachine, fc.array(senselessAct, { minLength: 5, maxLength: 20 }), (nested, acts) => {
        holds(viewOf(nestedProgram(nested, acts)));
      }),
      { numRuns: 2 * RUNS, seed: SEED },
    );
  });

  it(`${title} in worlds of every kind`, () => {
    fc.assert(
      fc.property(anyWorld, worldPrograms(20), (world, steps) => void holds(viewOf(programOf(world, steps)))),
      { numRuns: RUNS, seed: SEED },
    );
  });
}

function viewOf(program: Program): RunView {
  return new RunView(execute(program, {}), { statements: [] });
}
