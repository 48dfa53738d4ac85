import assert from 'node:assert/strict';
import { openScript } from '../../server/src/api/language';
import { runScript } from '../../server/src/api/engine';
import { text } from '../../server/src/export/text';
import { outcomeText, refusedSlots } from '../../server/src/views/outcome';
import { pageRanges } from '../../server/src/events/wording';

const GUEST = `vm guest {
  slot 0 { gpa 0  size 16M  log_dirty }
  tables kernel at 0x1000 { 0x40_0000 +2M -> 0x20_0000 rw user accessed dirty }
  vcpu 0 { cr3 kernel }
  vcpu boot { cr3 kernel }
}
`;

const views = (scenario: string) => runScript(openScript(scenario, 'file:///a.mmu', { read: () => null }), {});
/** Lines of statements, without what they came to. */
const statements = (script: string): string[] =>
  [...text(views(`${GUEST}run guest {\n${script}\n}\n`), { colors: false, width: 0, journal: false, entries: false })]
    .filter((line) => /^ +\d+ {2}/.test(line))
    .map((line) => line.replace(/^ +\d+ +/, '').replace(/ ·*·.*/, ''));

describe('statements as they were executed', () => {
  it('say the address that a name or a sum came to', () => {
    assert.deepEqual(
      statements('const p = 0x40_1000\nvcpu 0: user read p\nfor i in 0 .. 1 { user read p + i * 4K }\nkernel[p].writable = no'),
      [
        'vcpu 0: user read p at 0x40_1000',
        'vcpu 0: user read 0x40_1000',
        'vcpu 0: user read 0x40_2000',
        'vcpu 0: kernel[p].writable = no at 0x40_1000',
      ],
    );
  });

  it('say it once, however it is written', () => {
    assert.deepEqual(statements('user read 0x40_1000\nuser read 0x00401000\nuser read 4194304\ninvlpg 0x40_1000'), [
      'vcpu 0: user read 0x40_1000',
      'vcpu 0: user read 0x00401000',
      'vcpu 0: user read 4194304',
      'vcpu 0: invlpg 0x40_1000',
    ]);
  });

  it('say which of several vCPUs performed them', () => {
    assert.deepEqual(statements('vcpu boot: { user read 0x40_0000 }\nhost zap all'), ['vcpu boot: user read 0x40_0000', 'zap all']);
  });
});

describe('dirty logs in words', () => {
  it('are ranges, and not all of many', () => {
    assert.equal(pageRanges([]), '');
    assert.equal(pageRanges([0x1000, 0x2000, 0x20_0000]), '0x1000 +8K, 0x20_0000');
    assert.equal(pageRanges([0x1000, 0x3000, 0x4000, 0x9000], 1), '0x1000 and 3 more pages');
  });

  it('stay short for a log of a whole slot', () => {
    const [view] = views(
      `host { kvm { dirty_log_initially_set on } }\n${GUEST}run guest under soft { host get dirty log slot 0 expect dirty slot 0 [] }\n`,
    );
    assert.match(outcomeText(view, view.record.outcomes[0]), /^dirty 0x0 \+16M/);
    const judged = view.record.outcomes.at(-1)!.result;
    assert.equal(judged.kind === 'expectation' && judged.got, 'dirty as well: 0x0 +16M');
    assert.equal(judged.kind === 'expectation' && judged.instead, 'dirty slot 0 [0x0 +16M]');
  });
});

it('a slot for which the host has no memory is named', () => {
  const [view] = views('host { memory 2M }\nvm guest { slot 0 { gpa 0  size 16M }  vcpu { paging none } }\nrun guest { read 0 }\n');
  assert.equal(refusedSlots(view.record.outcomes).length, 1);
});

it('a slot that the first statement could not have is that statement’s own', () => {
  const [view] = views(
    'vm guest { slot 0 { gpa 0  size 16M }  vcpu { paging none } }\nrun guest { host create slot 1 { gpa 4K  size 4K } }\n',
  );
  assert.equal(outcomeText(view, view.record.outcomes[0]), 'EEXIST');
  assert.deepEqual(refusedSlots(view.record.outcomes), []);
});
