import { strict as assert } from 'node:assert';
import { ACCESS_FETCH, ACCESS_IMPLICIT, ACCESS_READ, ACCESS_USER, ACCESS_WRITE } from '../../../server/src/engine/journal/events';
import { eptQualification, exitInfo1High, pageFaultCode, pageFaultNames } from '../../../server/src/engine/x86/fault-codes';
import { Access, Policy, Rights } from '../../../server/src/engine/x86/permissions';
import { Walk } from '../../../server/src/engine/x86/stage';

const TABLE = Access.table;
const RWX = Rights.hostRead | Rights.hostWrite | Rights.hostExecute;

describe('exit qualification of an EPT violation (mmu-semantics.md §3.4)', () => {
  for (const [what, access, rights, expected] of [
    ['a read where nothing is', ACCESS_READ, 0, 0b1_1000_0001],
    ['a write of what may be read', ACCESS_WRITE, Rights.hostRead, 0b1_1000_1010],
    ['a fetch of what may be read and written', ACCESS_FETCH, Rights.hostRead | Rights.hostWrite, 0b1_1001_1100],
    ['a write of what may be executed alone', ACCESS_WRITE, Rights.hostExecute, 0b1_1010_0010],
    ['a read of an entry of the guest', ACCESS_READ | TABLE, 0, 0b0_1000_0001],
    ['an entry of the guest, whose access counts as a write', ACCESS_WRITE | TABLE, Rights.hostRead, 0b0_1000_1011],
    ['PDPTEs that MOV to CR reads, without a linear address', ACCESS_READ | TABLE | Access.noLinear, RWX, 0b0_0011_1001],
  ] as const) {
    it(what, () => assert.equal(eptQualification(access, rights).toString(2), expected.toString(2)));
  }
});

describe('error code of a page fault (mmu-semantics.md §2.7)', () => {
  for (const [what, status, access, policy, keyDenied, expected] of [
    ['a read of what is not present', Walk.notPresent, ACCESS_READ, 0, false, ''],
    ['a user write of what is not present', Walk.notPresent, ACCESS_WRITE | ACCESS_USER, 0, false, 'W U'],
    ['a user write that is denied', Walk.denied, ACCESS_WRITE | ACCESS_USER, 0, false, 'P W U'],
    ['an implicit access is a supervisor one', Walk.denied, ACCESS_READ | ACCESS_USER | ACCESS_IMPLICIT, 0, false, 'P'],
    ['a reserved bit', Walk.reserved, ACCESS_READ, 0, false, 'P RSVD'],
    ['a protection key', Walk.denied, ACCESS_READ | ACCESS_USER, 0, true, 'P U PK'],
    ['a fetch without NX and SMEP is no fetch', Walk.denied, ACCESS_FETCH, 0, false, 'P'],
    ['a fetch with NX', Walk.denied, ACCESS_FETCH, Policy.nxe, false, 'P I'],
    ['a fetch with SMEP', Walk.notPresent, ACCESS_FETCH, Policy.smep, false, 'I'],
  ] as const) {
    it(what, () => assert.equal(pageFaultNames(pageFaultCode(status, access, policy, keyDenied)).join(' '), expected));
  }

  it('of a nested one says in bit 32 or 33 whether the address was final or of a table (mmu-semantics.md §3.12)', () => {
    assert.deepEqual([exitInfo1High(ACCESS_READ), exitInfo1High(ACCESS_READ | TABLE)], [1, 2]);
  });
});
