/** Random programs: every invariant of mmu-semantics.md §9 holds after each act, and the guest sees the same (group X). */
import assert from 'node:assert/strict';
import type fc from 'fast-check';
import type { KvmOptions, MmuKind } from '../../../server/src/engine/program';
import { actsOfAll, assertFor, machineFor, programs, rightsPrograms, scenarioOf, seen, type Step } from './random-programs';

const KINDS: readonly (readonly [string, MmuKind, Partial<KvmOptions>])[] = [
  ['soft', 'soft', {}],
  ['soft without prefetch and unsync', 'soft', { prefetch: false, unsync: false }],
  ['soft without cached roots and flooding', 'soft', { cachedRoots: 0, flooding: 0 }],
  ['ept', 'ept', {}],
  ['ept with PML', 'ept', { pml: true }],
  ['ept without A/D', 'ept', { eptAd: false }],
  ['npt', 'npt', {}],
  ['npt, older direct MMU', 'npt', { tdpMmu: false }],
];

function run(mmu: MmuKind, kvm: Partial<KvmOptions>, steps: readonly Step[], check: boolean): string[] {
  const bench = machineFor(mmu, kvm);
  const results: string[] = [];
  for (const { step, act } of actsOfAll(steps)) {
    const { result } = bench.machine.perform(act);
    results.push(`${act.do}: ${seen(result)}`);
    if (check) assert.deepEqual(bench.machine.brokenInvariants(), [], `${mmu} after ${JSON.stringify(step)}`);
  }
  return results;
}

describe('random programs', function () {
  this.timeout(0);
  for (const [name, mmu, kvm] of KINDS) {
    it(`keep every invariant under ${name}`, () => {
      assertFor(
        programs(30),
        120,
        (steps) => void run(mmu, kvm, steps, true),
        (steps) => scenarioOf(steps, mmu, kvm, [mmu]),
      );
    });
  }

  it('show the guest the same under every kind', () => sameUnderEveryKind(programs(40), 150));

  it('grant and deny the same rights under every kind', () => sameUnderEveryKind(rightsPrograms, 60));
});

function sameUnderEveryKind(steps: fc.Arbitrary<Step[]>, numRuns: number): void {
  const same = (program: readonly Step[]): void => {
    const [reference, ...others] = KINDS.map(([name, mmu, kvm]) => ({ name, seen: run(mmu, kvm, program, false) }));
    for (const other of others) assert.deepEqual(other.seen, reference.seen, `${other.name} differs from ${reference.name}`);
  };
  assertFor(steps, numRuns, same, (program) => scenarioOf(program, 'soft', {}, ['soft', 'ept', 'npt']));
}
