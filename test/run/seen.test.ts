import { strict as assert } from 'node:assert';
import { seenBefore } from '../../server/src/run/seen';
import { ran } from '../support/runs';

const MACHINE = `vm guest {
  slot 0 { gpa 0  size 16M  hva 0x7f00_0000_0000 }
  tables kernel at 0x1000 { 0x40_0000 +8K -> 0x20_0000 ro }
  vcpu { cr3 kernel }
}
`;

describe('what the guest sees', () => {
  for (const [what, statement, expected] of [
    ['are values that it reads', 'read 0x40_0000', ['value 0x0']],
    ['are faults', 'write 0x40_0000 = 1', ['#PF(P W) at 0x40_0000']],
    [
      'are faults that a handler answers, before what comes of it',
      'write 0x40_0000 = 1 on fault { kernel[0x40_0000].R/W = 1 }',
      ['#PF(P W) at 0x40_0000', 'ok'],
    ],
    [
      'are all faults of a repeated access',
      'read 0x50_0000 x 3 step 4K',
      ['#PF() at 0x50_0000', '#PF() at 0x50_1000', '#PF() at 0x50_2000'],
    ],
  ] as const) {
    it(what, () => {
      for (const view of ran(`${MACHINE}run guest under soft, ept { ${statement} }`).views) {
        const { record } = view;
        assert.deepEqual(seenBefore(record, record.outcomes.length).map(({ text }) => text), expected); // prettier-ignore
      }
    });
  }
});
