/**
 * Random programs in random worlds (mmu-semantics.md §9): every invariant holds after each act, and the guest sees what it
 * sees under NPT with small pages and without a TLB (X1), whatever KVM's options are (Z7).
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { assertSame, runSteps, told } from './world-runs';
import { programOf, worldPrograms } from './world-programs';
import { anyWorld, type World } from './worlds';

const plain = ({ paging, vcpus, pcid, twoSlots }: World): World => ({ mmu: 'npt', paging, vcpus, pcid, twoSlots });

describe('random programs in random worlds', function () {
  this.timeout(0);
  it('keep every invariant and show the guest the same', () => {
    fc.assert(
      fc.property(anyWorld, worldPrograms(24), (world, steps) => {
        const seen = told(
          () => programOf(world, steps),
          () => runSteps(world, steps),
        );
        assertSame(world, steps, seen, runSteps(plain(world), steps, { invariants: false }), 'another result than under plain NPT');
      }),
      { numRuns: 300 },
    );
  });

  it('a failure is told as a scenario', () => {
    const world: World = { mmu: 'soft', paging: '4-level', kvm: { prefetch: false } };
    const failing = (): void =>
      told(
        () => programOf(world, [{ step: 'flush', vcpu: 0, how: 0 }]),
        () => assert.fail('wrong'),
      );
    assert.throws(failing, /wrong[^]*As a scenario:[^]*kvm \{ [^]*prefetch off[^]*cr3 = 0x1000/);
  });
});
