/** Programs: acts of a guest and of user space on machines of one level and nested, every invariant after each act. */
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { asNested, machineOf, NESTED_KINDS } from '../../test/engine/mmu/nested/nested-kinds';
import { senselessAct, senselessMachine } from '../../test/engine/mmu/nested/senseless-programs';
import { NestedBench } from '../../test/engine/mmu/nested/nested-machines';
import { actsOfAll, machineFor, programs, scenarioOf, seen } from '../../test/engine/mmu/random-programs';
import type { Step } from '../../test/engine/mmu/random-programs';
import { anyWorld } from '../../test/engine/mmu/worlds';
import { worldPrograms } from '../../test/engine/mmu/world-programs';
import { runSteps } from '../../test/engine/mmu/world-runs';
import { checked } from './checked';
import type { Round } from './fuzzers';

const ONE_LEVEL = ['soft', 'ept', 'npt'] as const;

export async function programRound(seed: number): Promise<Round> {
  const rounds = [
    () => checked(programs(30), seed, underAllKinds, (steps) => scenarioOf(steps, 'soft', {}, ['soft']), 10),
    () => checked(fc.tuple(anyWorld, worldPrograms(40)), seed, ([world, steps]) => void runSteps(world, steps), () => null, 20), // prettier-ignore
    () => checked(fc.tuple(senselessMachine, fc.array(senselessAct, { maxLength: 40 })), seed, senseless, () => null, 20), // prettier-ignore
  ];
  let tried = 0;
  for (const round of rounds) {
    const done = await round();
    tried += done.tried;
    if (done.found) return { tried, found: done.found };
  }
  return { tried, found: null };
}

/** A guest sees the same of itself under each, and no invariant breaks. */
function underAllKinds(steps: readonly Step[]): void {
  const shown = new Map<string, string[]>();
  for (const mmu of ONE_LEVEL) {
    const { machine } = machineFor(mmu);
    shown.set(mmu, []);
    for (const { step, act } of actsOfAll(steps)) {
      shown.get(mmu)!.push(`${act.do}: ${seen(machine.perform(act).result)}`);
      assert.deepEqual(machine.brokenInvariants(), [], `${mmu} after ${JSON.stringify(step)}`);
    }
  }
  for (const mmu of ONE_LEVEL) assert.deepEqual(shown.get(mmu), shown.get('ept'), `${mmu} and ept differ`);
  for (const kind of NESTED_KINDS) {
    const { machine } = machineOf(kind);
    let hostActs = 0;
    for (const { step, act } of actsOfAll(steps)) {
      machine.perform(asNested(act, 'vm' in act && hostActs++ % 2 === 0));
      assert.deepEqual(machine.brokenInvariants(), [], `${kind.name} after ${JSON.stringify(step)}`);
    }
  }
}

/** Acts that nobody would do: nothing throws. */
function senseless([nested, acts]: [
  ConstructorParameters<typeof NestedBench>[0],
  readonly Parameters<NestedBench['machine']['perform']>[0][],
]): void {
  const { machine } = new NestedBench(nested);
  for (const act of acts) machine.perform(act);
}
