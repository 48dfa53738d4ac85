import { strict as assert } from 'node:assert';
import { Journal } from '../../../../server/src/engine/journal/journal';
import { PhysicalMemory } from '../../../../server/src/engine/memory/physical-memory';
import { windowOn } from '../../../../server/src/engine/mmu/guest/own-tables';
import { pagingFormat } from '../../../../server/src/engine/x86/formats';

const FORMAT = pagingFormat({ mode: '4-level', maxPhyAddr: 46, nxe: true, page1G: true, pse: true, pse36: true, amd: false });

/** The window on gpa 0x9008 under a root at 0x1000. */
function windowIn(words: Readonly<Record<number, number>>): number | null {
  const memory = new PhysicalMemory(new Journal());
  for (const [address, entry] of Object.entries({ 0x1000: 0x2007, 0x2000: 0x3007, ...words })) memory.write(Number(address), entry, 0);
  const found = windowOn(memory, (gpa) => gpa, FORMAT, [{ table: 0x1000, base: { lo: 0, hi: 0 } }], 0x9008, true);
  return found && found.lo;
}

describe('the address by which a kernel writes a frame', () => {
  for (const [what, words, expected] of [
    ['is that of a page of its own', { 0x3000: 0x4003, 0x4008: 0x9003 }, 0x1008],
    ['is a user page where there is no other', { 0x3000: 0x4007, 0x4008: 0x9007 }, 0x1008],
    ['is a later page of its own before a user page', { 0x3000: 0x4007, 0x4008: 0x9007, 0x4010: 0x9003 }, 0x2008],
    [
      'is one through another entry, by which the same table has no user pages',
      { 0x3000: 0x4007, 0x3008: 0x4003, 0x4008: 0x9007 },
      0x20_1008,
    ],
    ['is none of a page that cannot be written', { 0x3000: 0x4003, 0x4008: 0x9001 }, null],
  ] as const) {
    it(what, () => assert.equal(windowIn(words), expected));
  }
});
