/** The journal alone is the whole truth: the state rebuilt from its rows is the machine's, and going back leads to nothing. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Space } from '../../../server/src/engine/journal/spaces';
import { stateAt } from '../../../server/src/engine/journal/state';
import { shadowPageAt } from '../../../server/src/engine/mmu/pages/shadow-page';
import type { MmuKind, KvmOptions } from '../../../server/src/engine/program';
import type { Bench } from './machines';
import { actsOf, machineFor, programs } from './random-programs';

const KINDS: readonly (readonly [MmuKind, Partial<KvmOptions>])[] = [
  ['soft', {}],
  ['ept', { pml: true }],
  ['npt', {}],
  ['npt', { tdpMmu: false }],
];
const SPACES = [Space.memory, Space.register, Space.slot, Space.hostPage, Space.shadowPage, Space.track, Space.dirtyLog, Space.vm];

/** Memory that differs between a machine and the state of its journal. */
function differences(bench: Bench): string[] {
  const { physical } = bench.machine;
  const memory = stateAt(bench.journal, bench.journal.length).space(Space.memory);
  const found: string[] = [];
  for (const frame of physical.framesInUse()) {
    for (let at = frame * 4096; at < (frame + 1) * 4096; at += 8) {
      if (memory.lo(at) !== physical.low(at) || memory.hi(at) !== physical.high(at)) found.push(at.toString(16));
    }
  }
  return found;
}

describe('the journal of a machine', function () {
  this.timeout(0);
  for (const [mmu, kvm] of KINDS) {
    it(`rebuilds memory, shadow pages, tracking and dirty logs under ${mmu}${kvm.tdpMmu === false ? ' (older direct MMU)' : ''}`, () => {
      fc.assert(
        fc.property(programs(20), (steps) => {
          const bench = machineFor(mmu, kvm);
          let root = 0;
          for (const step of steps) {
            if (step.step === 'root') root = step.which;
            for (const act of actsOf(step, root)) bench.machine.perform(act);
          }
          assert.deepEqual(differences(bench), []);
          const state = stateAt(bench.journal, bench.journal.length);
          const pages = bench.machine.shadowPages(0);
          const recorded = [...state.space(Space.shadowPage).keys()]
            .filter((key) => key % 8 === 0)
            .map((key) => shadowPageAt(state.space(Space.shadowPage), key / 8));
          assert.equal(recorded.length, pages.length);
          for (const page of pages) {
            const record = shadowPageAt(state.space(Space.shadowPage), page.frame);
            assert.ok(record !== null);
            const { gfn, role, unsync, rootCount, flooding } = record;
            assert.deepEqual(
              [gfn, role, unsync, rootCount, flooding],
              [page.gfn, page.role, page.unsync, page.rootCount, page.floodingCount],
            );
          }
          for (const space of SPACES) assert.equal(state.seek(0).space(space).size, 0, `space ${space} is empty at the beginning`);
        }),
        { numRuns: 25 },
      );
    });
  }
});
