/**
 * What views take for what the processor does is what it did: at every attempt of an access in a run, the access made once more on the
 * state there writes the rows that the journal has.
 */
import assert from 'node:assert/strict';
import { highOf, lowOf } from '../../server/src/engine/bits';
import { ACCESS_WHAT } from '../../server/src/engine/journal/events';
import { partsOf } from '../../server/src/engine/mmu/vcpu/instruction';
import { Outcome } from '../../server/src/engine/vcpu/processor';
import type { RunView } from '../../server/src/views/view';
import { hardwareOf } from '../../server/src/views/way/hardware';
import { lastUses } from '../../server/src/views/way/recency';
import { Rehearsal } from '../../server/src/views/way/rehearsal';
import { attempts, said } from './attempts';
import type { Attempted } from './attempts';
import { holdsForAllRuns } from './run-sources';

function rehearsed(view: RunView, { under, from }: Attempted): string[] {
  const { vm, vcpu, address, space, access, rmw, size } = under;
  const state = view.machine(from);
  const hardware = hardwareOf(state, vm, vcpu);
  assert.ok(hardware, `row ${from}: nothing in hardware`);
  const rehearsal = new Rehearsal(state, hardware, lastUses(view, state, from, hardware.processor));
  if (space === 'gpa') return said(rehearsal.physical(Number(address), access).rows);
  const all: string[] = [];
  for (const kind of rmw && state.host.rmwLoadsFirst === true ? [access & ~ACCESS_WHAT, access] : [access]) {
    for (const part of partsOf({ lo: lowOf(address), hi: highOf(address), size })) {
      const { outcome, rows } = rehearsal.linear((BigInt(part.hi >>> 0) << 32n) | BigInt(part.lo >>> 0), kind);
      all.push(...said(rows));
      if (outcome !== Outcome.ok) return all;
    }
  }
  return all;
}

describe('an access made once more', function () {
  this.timeout(0);

  holdsForAllRuns('does what it did', (view) => {
    let compared = 0;
    for (const attempt of attempts(view)) {
      compared++;
      const { from, to, first, under } = attempt;
      // A hypervisor in a guest goes on with the part of an operand at which its guest left.
      const parts = partsOf({ lo: lowOf(under.address), hi: highOf(under.address), size: under.size });
      if (!first && parts.length > 1 && view.record.program.machine.vms[under.vm].parent !== null) continue;
      assert.deepEqual(rehearsed(view, attempt), said(view.record, from, to), `row ${from} of ${view.record.program.name}`);
    }
    return compared;
  });
});
