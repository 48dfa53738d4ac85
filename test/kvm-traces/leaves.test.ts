import assert from 'node:assert/strict';
import { Journal } from '../../server/src/engine/journal/journal';
import { PhysicalMemory } from '../../server/src/engine/memory/physical-memory';
import { changedLeaves, leavesOf } from '../../scripts/kvm-traces/leaves';

const PRESENT = 0x1;
const WRITABLE = 0x2;
const USER = 0x4;
const MMU_PRESENT = 0x800;
const EXECUTE_DISABLE = 0x8000_0000;
const ROOT = { hpa: 0x1000, level: 2 };

/** A table with one leaf, as each of the two formats has it. */
function leafOf(ept: boolean, low: number, high = 0): unknown {
  const memory = new PhysicalMemory(new Journal());
  memory.write(0x1000, 0x2000 | MMU_PRESENT | (ept ? 7 : PRESENT | WRITABLE | USER), 0);
  memory.write(0x2008, 0x5000 | MMU_PRESENT | low, high);
  return leavesOf(memory, ROOT, { ept, gpaOf: () => 0x5000n, skip: null }).get(0x1000n);
}

describe('leaves of a table', () => {
  it('have rights by their format', () => {
    assert.deepEqual(leafOf(false, PRESENT | WRITABLE | USER, EXECUTE_DISABLE), ['0x5000', 1, 1, 0, 1]);
    assert.deepEqual(leafOf(true, 0b101), ['0x5000', 0, 1, 1, 1]);
  });

  it('map a page to a supervisor without any bit of shadow paging, and none without a right of EPT', () => {
    assert.deepEqual(leafOf(false, PRESENT, EXECUTE_DISABLE), ['0x5000', 0, 0, 0, 1]);
    assert.deepEqual(leafOf(true, 0), [null, 0, 0, 0, 1]);
  });

  it('have changed where they are new, other or gone', () => {
    const before = new Map([
      [0x1000n, ['0x1000', 1, 1, 1, 1] as const],
      [0x2000n, ['0x2000', 1, 1, 1, 1] as const],
      [0x3000n, ['0x3000', 1, 1, 1, 1] as const],
    ]);
    const after = new Map([
      [0x1000n, ['0x1000', 1, 1, 1, 1] as const],
      [0x2000n, ['0x2000', 0, 1, 1, 1] as const],
      [0x4000n, ['0x4000', 1, 1, 1, 1] as const],
    ]);
    assert.deepEqual(changedLeaves(before, after), { '0x2000': ['0x2000', 0, 1, 1, 1], '0x3000': null, '0x4000': ['0x4000', 1, 1, 1, 1] });
  });
});
