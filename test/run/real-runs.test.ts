import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { Space } from '../../server/src/engine/journal/spaces';
import { State } from '../../server/src/engine/journal/state';
import { openScript } from '../../server/src/api/language';
import { runScript } from '../../server/src/api/engine';
import { walkFrom } from '../../server/src/views/walk-steps';
import type { RunView } from '../../server/src/views/view';
import { stepDetail } from '../../server/src/views/detail';

const SAMPLES = ['first-touch.mmu', 'measured-touch.mmu'];

function runsOf(name: string): RunView[] {
  const url = new URL(`../../samples/${name}`, import.meta.url);
  return runScript(openScript(readFileSync(url, 'utf8'), url.href, { read: () => null }), {});
}

const SPACES = Object.values(Space).filter((space): space is Space => typeof space === 'number');

/** All words of all spaces, in an order of their own. */
function snapshot(state: State): string {
  return SPACES.map((space) => {
    const words = state.space(space);
    return [...words.keys()]
      .sort((a, b) => a - b)
      .map((key) => `${key}=${words.get(key)}`)
      .join(' ');
  }).join('\n');
}

for (const name of SAMPLES) {
  describe(`runs of ${name}`, () => {
    const views = runsOf(name);

    it('end, with every expectation held', () => {
      for (const { record } of views) {
        assert.deepEqual(record.ended, { how: 'done' });
        for (const { result } of record.outcomes)
          if (result.kind === 'expectation') assert.ok(result.holds, `${record.program.name}: ${result.expected}: got ${result.got}`);
      }
    });

    it('have the same states on the way back', () => {
      for (const { record } of views) {
        const state = new State(record);
        const positions = Array.from({ length: 41 }, (_, i) => Math.floor((record.length * i) / 40));
        const forwards = positions.map((position) => snapshot(state.seek(position)));
        assert.equal(new Set(forwards).size > 5, true);
        for (let i = positions.length - 1; i >= 0; i--) assert.equal(snapshot(state.seek(positions[i])), forwards[i]);
        assert.equal(snapshot(state.seek(0)), snapshot(new State(record)));
      }
    });

    it('are the same again', () => {
      runsOf(name).forEach(({ record }, i) => {
        assert.equal(record.length, views[i].record.length);
        assert.deepEqual(record.words.subarray(0, record.length * 5), views[i].record.words.subarray(0, record.length * 5));
      });
    });

    it('have a detail of every step', function () {
      this.timeout(60_000);
      for (const view of views) {
        for (let step = 0; step < view.steps.length; step++) {
          const detail = stepDetail(view, step)!;
          assert.equal(detail.row.step, step);
          assert.ok(!/undefined|NaN/.test(JSON.stringify(detail)), JSON.stringify(detail));
        }
        assert.equal(stepDetail(view, view.steps.length), null);
      }
    });

    it('name every word that changes', () => {
      for (const view of views) {
        for (let step = 0; step < view.steps.length; step++) {
          for (const change of stepDetail(view, step)!.changes)
            assert.ok(change.what !== '' || change.space === '…', JSON.stringify(change));
        }
      }
    });
  });
}

describe('one script under several kinds', () => {
  const script = (act: string) => `host { tlb off }
vm guest {
  slot 0 { gpa 0 size 16M hva 0x7f00_0000_0000 }
  tables kernel at 0x1000 { 0x40_0000 +64K -> 0x20_0000 rw user }
  vcpu { cr3 kernel }
}
run guest under soft, ept {
  user write 0x40_0000 = 7
  user fetch 0x70_0000
  ${act}
  user read 0x40_0000
  same
}
`;
  const last = (text: string) => {
    const opened = openScript(text, 'file:///a.mmu', { read: () => null });
    assert.deepEqual(
      opened.problems.filter(({ severity }) => severity === 'error'),
      [],
    );
    return runScript(opened, {}).map(({ record }) => record.outcomes.at(-1)!.result);
  };

  it('is the same to the guest', () => {
    for (const result of last(script('kernel[0x40_1000].writable = no'))) assert.equal(result.kind === 'expectation' && result.holds, true);
  });

  it('differs where the VMM changes a table behind the shadow', () => {
    const [soft, ept] = last(script('host write gpa 0x4000 = 0'));
    assert.equal(soft.kind === 'expectation' && soft.holds, true);
    const got = ept.kind === 'expectation' ? ept.got : '';
    assert.match(
      got,
      /^user read 0x40_0000: #PF\(U\) at 0x40_0000 under ept, value 0x7 under soft; KVM falls short here \(table-written-by-vmm\)/,
    );
  });
});

describe('a walk in one line', () => {
  const [soft, ept] = runsOf('first-touch.mmu');
  const walks = (view: RunView): string[] => {
    const texts: string[] = [];
    for (let step = 0; step < view.steps.length;) {
      const walk = walkFrom(view, step, view.steps.length);
      if (walk) texts.push(walk.row.text);
      step = walk?.next ?? step + 1;
    }
    return texts;
  };

  it('names the entries of the first stage and counts those of the second', () => {
    assert.ok(walks(soft).some((text) => /^shadow PML4 0x\w+ → PDPT 0x\w+ → PD 0x\w+ → PT 0x\w+$/.test(text)));
    assert.ok(walks(ept).some((text) => /^guest PML4 0x2007.*; \d+ of EPT/.test(text)));
  });

  it('takes all reads of entries together', () => {
    for (const view of [soft, ept]) assert.ok(walks(view).length < view.steps.length / 4);
  });
});
