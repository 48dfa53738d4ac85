/**
 * Metamorphic properties (mmu-semantics.md §9, group Z): what the hypervisor and the host do in between changes nothing that
 * the guest sees. One program is run twice, as it is and with such acts between its steps.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Journal } from '../../../server/src/engine/journal/journal';
import { Machine } from '../../../server/src/engine/machine';
import { zapFrame } from '../../../server/src/engine/mmu/pages/leaf';
import { commitZap, prepareZap } from '../../../server/src/engine/mmu/pages/zap';
import { zapAllFast } from '../../../server/src/engine/mmu/pages/zap-all';
import type { MmuKind } from '../../../server/src/engine/program';
import { access, BY } from './machines';
import { assertSame, runSteps, type Seen } from './world-runs';
import { worldPrograms, type HostStep, type Step } from './world-programs';
import { addressOf, anyWorld, BUDGET, dataFrame, machineOf, PAGES, type World } from './worlds';

/** A step put in before a step of the program. */
interface Insertion {
  readonly before: number;
  readonly step: Step;
}

const insertions = (step: fc.Arbitrary<Step>): fc.Arbitrary<Insertion[]> =>
  fc.array(fc.record({ before: fc.nat(), step }), { minLength: 1, maxLength: 12, size: 'max' });
const hostStep = (...acts: HostStep[]): fc.Arbitrary<Step> =>
  fc.record({ step: fc.constant('host' as const), act: fc.constantFrom(...acts), page: fc.nat(PAGES - 1) });

/** The program with insertions, and where its own steps are in it. */
function withInsertions(program: readonly Step[], inserted: readonly Insertion[]): { steps: Step[]; own: number[] } {
  const steps: Step[] = [];
  const own = program.map((step, i) => {
    for (const each of inserted) if (each.before % program.length === i) steps.push(each.step);
    return steps.push(step) - 1;
  });
  return { steps, own };
}

function changesNothing(step: fc.Arbitrary<Step>, numRuns: number, restrict: (world: World) => World = (world) => world): void {
  fc.assert(
    fc.property(anyWorld.map(restrict), worldPrograms(20, false), insertions(step), (world, program, inserted) => {
      const { steps, own } = withInsertions(program, inserted);
      const seen = runSteps(world, steps);
      assertSame(
        world,
        steps,
        own.map((i) => seen[i]),
        runSteps(world, program, { invariants: false }),
        'the guest sees the difference',
      );
    }),
    { numRuns },
  );
}

/** Something of a VM's tables goes: pages by number, leaves of a frame, or everything. */
interface Zap {
  readonly what: 'page' | 'frame' | 'all';
  readonly which: number;
}
const zap: fc.Arbitrary<Zap | null> = fc.option(
  fc.record({ what: fc.constantFrom('page' as const, 'page' as const, 'frame' as const, 'all' as const), which: fc.nat(63) }),
);

function perform(machine: Machine, { what, which }: Zap): void {
  const { kvm } = machine['hypervisors'][0]!;
  if (what === 'all') zapAllFast(kvm);
  else if (what === 'page') {
    const pages = [...kvm.pages.active].filter((page) => !page.invalid);
    const page = pages[which % Math.max(pages.length, 1)];
    const gone: Parameters<typeof commitZap>[1] = [];
    if (page !== undefined) prepareZap(kvm, page, gone);
    commitZap(kvm, gone);
  } else {
    const gfn = (which < 16 ? dataFrame(which % PAGES) : which * 0x1000) / 4096;
    for (let level = 1; level <= 3; level++) zapFrame(kvm, gfn - (gfn % 512 ** (level - 1)), level);
    kvm.tdpMmu?.zapRange(gfn, gfn + 1);
    kvm.flushRemoteTlbs();
  }
}

describe('metamorphic properties', function () {
  this.timeout(0);

  it('Z1: any shadow page, leaf or root can go at any time', () => {
    fc.assert(
      fc.property(
        anyWorld,
        worldPrograms(20, false),
        fc.array(zap, { minLength: 20, maxLength: 20, size: 'max' }),
        (world, program, zaps) => {
          const seen = runSteps(world, program, {
            before: (machine, i) => {
              const now = zaps[i];
              if (now) perform(machine, now);
            },
          });
          assertSame(world, program, seen, runSteps(world, program, { invariants: false }), 'zapping is seen');
        },
      ),
      { numRuns: 100 },
    );
  });

  it('Z2: more flushes than need be', () => {
    const flush: fc.Arbitrary<Step> = fc.record({ step: fc.constant('flush' as const), vcpu: fc.nat(2), how: fc.nat(3) });
    changesNothing(flush, 60);
  });

  it('Z3, Z4: host pages split, collapsed and moved to other frames', () => {
    changesNothing(hostStep('split', 'collapse'), 80);
  });

  it('Z6: the dirty log switched on and off, fetched and cleared', () => {
    changesNothing(hostStep('log', 'nolog', 'get', 'clear'), 80);
  });

  it('Z4, Z5: small, large and huge host pages, and one slot or two', () => {
    fc.assert(
      fc.property(anyWorld, worldPrograms(20, false), (world, program) => {
        const others: Partial<World>[] = [
          { twoSlots: world.twoSlots !== true },
          { pageSize: world.pageSize === 0x1000 ? 0x20_0000 : 0x1000 },
        ];
        const expected: Seen[] = runSteps(world, program, { invariants: false });
        for (const other of others)
          assertSame({ ...world, ...other }, program, runSteps({ ...world, ...other }, program), expected, 'another host');
      }),
      { numRuns: 60 },
    );
  });

  it('Z8: first touches in any order leave the same leaves', () => {
    const touch = fc.record({ user: fc.boolean(), write: fc.boolean() });
    fc.assert(
      fc.property(
        fc.constantFrom<MmuKind>('soft', 'ept', 'npt'),
        fc.constantFrom('4-level' as const, 'pae' as const, '32-bit' as const),
        fc.array(touch, { minLength: PAGES, maxLength: PAGES }),
        fc.shuffledSubarray([...Array(PAGES).keys()], { minLength: PAGES, maxLength: PAGES }),
        (mmu, paging, touches, order) => {
          const world: World = { mmu, paging, kvm: { prefetch: false } };
          assert.deepEqual(leavesAfter(world, touches, order), leavesAfter(world, touches, [...order].reverse()));
        },
      ),
      { numRuns: 40 },
    );
  });
});

function leavesAfter(
  world: World,
  touches: readonly { readonly user: boolean; readonly write: boolean }[],
  order: readonly number[],
): string[] {
  const machine = new Machine(machineOf(world), new Journal(), BUDGET);
  for (const page of order) {
    const { user, write } = touches[page];
    machine.perform(access(write ? 'write' : 'read', BigInt(addressOf(world, page)), user, write ? 1n : null));
  }
  const table = world.mmu === 'soft' ? 'shadow' : 'tdp';
  const address = (page: number): bigint => BigInt(world.mmu === 'soft' ? addressOf(world, page) : dataFrame(page));
  return touches.map((_, page) => machine.entry(table, BY, address(page), 1)?.value.toString(16) ?? 'none');
}
