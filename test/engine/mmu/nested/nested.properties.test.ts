/**
 * Random programs of an L2 under every combination of what L1 and L0 do: L2 sees what a guest of one level sees (mmu-semantics.md
 * §9, groups X and N), and every invariant of both hypervisors holds after each act. Host acts come from L0's user space and from
 * L1's in turn.
 */
import assert from 'node:assert/strict';
import type fc from 'fast-check';
import type { Act, KvmOptions, MmuKind } from '../../../../server/src/engine/program';
import { host, slot } from '../machines';
import { L2, NestedBench } from './nested-machines';
import { RANDOM_WORDS, actsOfAll, assertFor, machineFor, programs, rightsPrograms, scenarioOf, seen, type Step } from '../random-programs';

/** Programs a property; more when asked for. */
const RUNS = Number(process.env.NESTED_RUNS ?? 8);
const BASE = 0x40_0000;
const HVA = 0x7f00_0000_0000;

interface Kind {
  readonly name: string;
  readonly l2: MmuKind;
  readonly l1: MmuKind;
  readonly kvm?: Partial<KvmOptions>;
  readonly tlb?: boolean;
}

const KINDS: readonly Kind[] = [
  { name: 'soft on soft', l2: 'soft', l1: 'soft' },
  { name: 'soft on ept', l2: 'soft', l1: 'ept' },
  { name: 'soft on npt', l2: 'soft', l1: 'npt' },
  { name: 'ept on ept', l2: 'ept', l1: 'ept' },
  { name: 'npt on npt', l2: 'npt', l1: 'npt' },
  { name: 'ept on ept without A/D', l2: 'ept', l1: 'ept', kvm: { eptAd: false } },
  { name: 'ept on ept with PML', l2: 'ept', l1: 'ept', kvm: { pml: true } },
  { name: 'npt on npt, older direct MMU', l2: 'npt', l1: 'npt', kvm: { tdpMmu: false } },
  { name: 'soft on soft without prefetch and unsync', l2: 'soft', l1: 'soft', kvm: { prefetch: false, unsync: false } },
  { name: 'soft on ept with one EPT root', l2: 'soft', l1: 'ept', kvm: { shareEptRoot: true } },
  { name: 'soft on soft with a TLB', l2: 'soft', l1: 'soft', tlb: true },
  { name: 'soft on ept with a TLB', l2: 'soft', l1: 'ept', tlb: true },
  { name: 'ept on ept with a TLB', l2: 'ept', l1: 'ept', tlb: true },
  { name: 'npt on npt with a TLB', l2: 'npt', l1: 'npt', tlb: true },
];

function machine({ l2, l1, kvm, tlb }: Kind): NestedBench {
  const made = host(l1 === 'npt' ? 'amd' : 'intel', { vmreads: 1, vmwrites: 1, ...kvm });
  return new NestedBench({
    l2,
    l1,
    host: { ...made, tlb: { ...made.tlb, on: tlb === true } },
    words: RANDOM_WORDS,
    l1Slots: [slot(0, 0, BASE), slot(1, BASE, 0x1_8000)],
    slots: [slot(0, 0, 0x1_0000, { hva: BASE }), slot(1, 0x1_0000, 0x8000, { hva: BASE + 0x1_0000 })],
  });
}

/** An act of the one-level program as L2's; host acts by the VMM of L0 or of L1. */
function nested(act: Act, byL0: boolean): Act {
  if ('by' in act) return { ...act, by: L2 } as Act;
  if (!('vm' in act)) return act;
  if ('hva' in act) return byL0 ? { ...act, hva: act.hva + BASE } : { ...act, vm: 1, hva: act.hva - HVA + BASE };
  return byL0 ? act : { ...act, vm: 1 };
}

/** Acts about a slot's dirty log: one VMM does all of a program, since what one logs the other knows nothing of. */
const LOGGING: ReadonlySet<Act['do']> = new Set<Act['do']>(['slot-flags', 'get-dirty-log', 'clear-dirty-log']);

function run(kind: Kind, steps: readonly Step[], check: boolean): string[] {
  const bench = machine(kind);
  const results: string[] = [];
  let hostActs = 0;
  for (const { step, act } of actsOfAll(steps)) {
    const byL0 = LOGGING.has(act.do) ? steps.length % 2 === 0 : 'vm' in act && hostActs++ % 2 === 0;
    const { result } = bench.machine.perform(nested(act, byL0));
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
  for (const kind of KINDS) {
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
    for (const kind of KINDS) assert.deepEqual(run(kind, program, false), reference, `${kind.name} differs from one level`);
  };
  assertFor(steps, numRuns, same, (program) => scenarioOf(program, 'ept', {}, ['ept']));
}
