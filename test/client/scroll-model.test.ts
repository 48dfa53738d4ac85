import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { ScrollModel } from '../../client/webview/list/scroll-model';

const ROW = 24;
const VIEW = 480;
const HIGHEST = 10_000;

function model(total: number): ScrollModel {
  const scroll = new ScrollModel(ROW, HIGHEST);
  scroll.resize(total, VIEW);
  return scroll;
}

describe('place in a long list', () => {
  it('is the scroll bar itself while the list is short', () => {
    const scroll = model(100);
    assert.equal(scroll.height, 2400);
    assert.ok(!scroll.scaled);
    scroll.scrolled(240);
    assert.deepEqual(scroll.seen(), { from: 10, to: 30 });
    assert.equal(scroll.scrollTop, 240);
  });

  it('comes to the very first and the very last row of a list of any length', () => {
    for (const total of [1, 20, 21, 416, 417, 1_000_000, 400_000_000]) {
      const scroll = model(total);
      scroll.moveTo(Infinity);
      assert.equal(scroll.seen().to, total);
      assert.ok(scroll.scrollTop <= Math.max(0, scroll.height - VIEW));
      scroll.moveTo(0);
      assert.equal(scroll.seen().from, 0);
    }
  });

  it('is kept exactly though the browser rounds where the scroll bar stands', () => {
    const scroll = model(1_000_000);
    scroll.moveTo(12_345 * ROW);
    scroll.scrolled(Math.round(scroll.scrollTop));
    assert.equal(scroll.top, 12_345 * ROW);
  });

  it('follows the dragged scroll bar in proportion', () => {
    const scroll = model(1_000_000);
    scroll.scrolled((HIGHEST - VIEW) / 2);
    assert.ok(Math.abs(scroll.seen().from - 500_000) < 20);
  });

  it('brings any row into sight, and moves no further than needed', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5_000_000 }), fc.nat(), fc.nat(), (total, from, to) => {
        const scroll = model(total);
        scroll.moveTo((from % total) * ROW);
        const row = to % total;
        scroll.bringIntoView(row);
        assert.ok(scroll.top <= row * ROW && (row + 1) * ROW <= Math.max(scroll.top + VIEW, ROW));
        assert.equal(scroll.bringIntoView(row), false);
      }),
    );
  });

  it('stays within the list when it becomes shorter', () => {
    const scroll = model(1000);
    scroll.moveTo(Infinity);
    scroll.resize(30, VIEW);
    assert.deepEqual(scroll.seen(), { from: 10, to: 30 });
    scroll.resize(0, VIEW);
    assert.deepEqual(scroll.seen(), { from: 0, to: 0 });
  });
});
