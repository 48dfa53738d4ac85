import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { Space } from '../../server/src/engine/journal/events';
import { State } from '../../server/src/engine/journal/state';
import { runScript, openScript } from '../../server/src/run/session';
import type { RunView } from '../../server/src/views/view';
import { stepDetail } from '../../server/src/views/detail';

const SAMPLES = ['first-touch.mmu', 's01a-touch.mmu'];

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
