/** Guests of every paging mode, with and without a TLB: soft and hard MMU agree, and invariants hold. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { MmuKind } from '../../../server/src/engine/program';
import { Bench, BY, host, slot } from './machines';
import { actsOfStep, pagingGuests, pagingSteps, type PagingGuest, type PagingStep } from './paging-guests';
import { seen } from './random-programs';

const KINDS: readonly MmuKind[] = ['soft', 'ept', 'npt'];

function run(guest: PagingGuest, mmu: MmuKind, tlb: boolean, program: readonly PagingStep[]): string[] {
  const base = host(mmu === 'npt' ? 'amd' : 'intel');
  const bench = new Bench({
    mmu,
    words: guest.words,
    slots: [slot(0, 0, 0x2_0000)],
    host: {
      ...base,
      features: { ...base.features, la57: guest.paging === '5-level' },
      tlb: { ...base.tlb, on: tlb, pagingStructureEntries: tlb ? 8 : 0 },
    },
    vcpu: { paging: guest.paging, cr3: guest.root, efer: { nxe: false } },
  });
  return program.flatMap((step) => {
    const results = actsOfStep(step, guest, BY).map((act) => seen(bench.do(act).result));
    assert.deepEqual(bench.machine.brokenInvariants(), [], `${guest.paging} ${mmu}`);
    return results;
  });
}

describe('paging modes', function () {
  this.timeout(0);
  for (const guest of pagingGuests()) {
    it(`${guest.paging}: the guest sees the same under soft, ept and npt, with a TLB and without`, () => {
      fc.assert(
        fc.property(pagingSteps, (program) => {
          const reference = run(guest, 'soft', false, program);
          for (const mmu of KINDS)
            for (const tlb of [false, true])
              assert.deepEqual(run(guest, mmu, tlb, program), reference, `${mmu}, TLB ${tlb ? 'on' : 'off'}`);
          assert.ok(
            reference.some((text) => text.startsWith('ok')) ||
              reference.length === 0 ||
              program.every(({ what }) => what !== 'read' && what !== 'write'),
            'something is reached',
          );
        }),
        { numRuns: 25 },
      );
    });
  }
});
