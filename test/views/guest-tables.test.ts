import { strict as assert } from 'node:assert';
import { guestTables } from '../../server/src/views/guest-tables';
import { ran } from '../support/runs';

const MACHINE = `vm guest {
  slot 0 { gpa 0  size 16M  hva 0x7f00_0000_0000 }
  tables kernel at 0x1000 { 0x40_0000 +8K -> 0x20_0000 rw  0x60_0000 +2M -> 0x40_0000 rw pages 2M }
  vcpu { cr3 kernel }
}
`;

describe("a guest's tables", () => {
  for (const [what, edits, expected] of [
    ['are those that its roots lead to, large pages aside', '', ['1 level 4', '2 level 3', '3 level 2', '4 level 1']],
    [
      'are none where an entry leads out of its memory',
      'kernel[0x80_0000 level 2] = 0xd000_0007',
      ['1 level 4', '2 level 3', '3 level 2', '4 level 1'],
    ],
    [
      'are those that it leads to now',
      'kernel[0x80_0000 level 2] = 0x9007',
      ['1 level 4', '2 level 3', '3 level 2', '4 level 1', '9 level 1'],
    ],
  ] as const) {
    it(what, () => {
      const { problems, views } = ran(`${MACHINE}run guest under ept { read 0x40_0000\n${edits} }`);
      assert.deepEqual(problems, []);
      const [view] = views;
      const tables = guestTables(view.machine(view.record.length), 0);
      assert.deepEqual([...tables].map(([gfn, { level }]) => `${gfn} level ${level}`).sort(), expected);
    });
  }
});
