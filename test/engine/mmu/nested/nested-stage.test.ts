import { strict as assert } from 'node:assert';
import { ACCESS_READ } from '../../../../server/src/engine/journal/events';
import { NestedStage } from '../../../../server/src/engine/mmu/nested/nested-stage';
import { Access, HOST_ALL, Rights } from '../../../../server/src/engine/x86/permissions';
import { Walk, type Stage } from '../../../../server/src/engine/x86/stage';
import type { Walker } from '../../../../server/src/engine/x86/walker';

/** L1's tables put L2's pages 4 GiB higher, L0's slots these 8 GiB higher. */
const walker = {
  outLo: 0,
  outHi: 0,
  translate(lo: number, hi: number): number {
    this.outLo = lo;
    this.outHi = hi + 1;
    return hi === 7 ? Walk.notPresent : Walk.ok;
  },
};
const slots: Stage & { hostLo: number; hostHi: number } = {
  tableAccess: ACCESS_READ | Access.table,
  outLo: 0,
  outHi: 0,
  hostLo: 0,
  hostHi: 0,
  hostRights: Rights.hostRead,
  translate(lo: number, hi: number): number {
    this.hostLo = lo;
    this.hostHi = hi + 2;
    return hi === 6 ? Walk.absent : Walk.ok;
  },
};
const stage = new NestedStage(walker as unknown as Walker, slots);
const came = (status: number): unknown => [status, stage.outHi, stage.outLo, stage.hostHi, stage.hostLo, stage.hostRights];

describe("the second stage of a guest's guest, as software walks it", () => {
  it("takes tables through L1's tables and L0's slots", () => {
    assert.deepEqual(came(stage.translate(0x5018, 2, stage.tableAccess)), [Walk.ok, 3, 0x5018, 5, 0x5018, Rights.hostRead]);
  });

  it("takes pages to L1's addresses alone", () => {
    assert.deepEqual(came(stage.translate(0x5018, 2, ACCESS_READ)), [Walk.ok, 3, 0x5018, 3, 0x5018, HOST_ALL | Rights.dirty]);
  });

  it("fails where L1's tables do, or where no slot is", () => {
    assert.equal(stage.translate(0x5018, 7, stage.tableAccess), Walk.notPresent);
    assert.equal(stage.translate(0x5018, 5, stage.tableAccess), Walk.absent);
  });
});
