/** L2 in every paging mode, under every combination of hypervisors: it sees what a guest of one level sees, and invariants hold. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { MmuKind } from '../../../../server/src/engine/program';
import { Bench, BY, host, slot } from '../machines';
import { actsOfStep, pagingGuests, pagingSteps, type PagingGuest, type PagingStep } from '../paging-guests';
import { seen } from '../random-programs';
import { L2, NestedBench } from './nested-machines';

const KINDS: readonly (readonly [l2: MmuKind, l1: MmuKind])[] = [
  ['soft', 'soft'],
  ['soft', 'ept'],
  ['soft', 'npt'],
  ['ept', 'ept'],
  ['npt', 'npt'],
];
const BASE = 0x40_0000;

function hostFor(vendor: 'intel' | 'amd', guest: PagingGuest) {
  const made = host(vendor);
  return { ...made, features: { ...made.features, la57: guest.paging === '5-level' }, tlb: { ...made.tlb, on: false } };
}

const vcpuOf = (guest: PagingGuest) => ({ paging: guest.paging, cr3: guest.root, efer: { nxe: false } });

function oneLevel(guest: PagingGuest, program: readonly PagingStep[]): string[] {
  const bench = new Bench({
    mmu: 'npt',
    words: guest.words,
    slots: [slot(0, 0, 0x2_0000)],
    host: hostFor('amd', guest),
    vcpu: vcpuOf(guest),
  });
  return program.flatMap((step) => actsOfStep(step, guest, BY)).map((act) => seen(bench.do(act).result));
}

function nested(guest: PagingGuest, l2: MmuKind, l1: MmuKind, program: readonly PagingStep[]): string[] {
  const bench = new NestedBench({
    l2,
    l1,
    host: hostFor(l1 === 'npt' ? 'amd' : 'intel', guest),
    words: guest.words,
    l1Slots: [slot(0, 0, BASE), slot(1, BASE, 0x2_0000)],
    slots: [slot(0, 0, 0x2_0000, { hva: BASE })],
    vcpu: vcpuOf(guest),
  });
  return program.flatMap((step) => {
    const results = actsOfStep(step, guest, L2).map((act) => seen(bench.do(act).result));
    assert.deepEqual(bench.machine.brokenInvariants(), [], `${guest.paging} ${l2} on ${l1} after ${JSON.stringify(step)}`);
    return results;
  });
}

describe('paging modes of a nested guest', function () {
  this.timeout(0);
  // Without A and D at the start, so that L1 sets them in entries of either width.
  for (const guest of [...pagingGuests(0x7n), ...pagingGuests().slice(0, 4)]) {
    const flags = guest.words[0x5000] === undefined ? '' : (guest.words[0x5000] & 0x60n) !== 0n ? ', used before' : ', not used before';
    it(`${guest.paging}${flags}: L2 sees what a guest of one level sees`, () => {
      fc.assert(
        fc.property(pagingSteps, (program) => {
          const reference = oneLevel(guest, program);
          for (const [l2, l1] of KINDS) assert.deepEqual(nested(guest, l2, l1, program), reference, `${l2} on ${l1}`);
        }),
        { numRuns: 4 },
      );
    });
  }
});
