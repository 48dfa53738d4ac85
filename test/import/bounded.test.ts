import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { Frequent, Recent } from '../../server/src/import/bounded';
import { OverTime } from '../../server/src/import/summary/over-time';
import { duration, grouped, moment } from '../../server/src/import/summary/time-text';

describe('bounded counts', () => {
  it('have the most frequent keys, too small by no more than they say', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constant(1), fc.constant(2), fc.nat(500)), { maxLength: 2000 }), (keys) => {
        const counts = new Frequent<number, { count: number; line: number }>(16);
        const exact = new Map<number, number>();
        keys.forEach((key, line) => {
          counts.add(key, () => ({ count: 1, line }));
          exact.set(key, (exact.get(key) ?? 0) + 1);
        });
        assert.ok(counts.size <= 16);
        const kept = new Map(counts.top(16).map(([key, { count }]) => [key, count]));
        for (const [key, count] of exact) {
          const seen = kept.get(key) ?? 0;
          assert.ok(seen <= count && count - seen <= counts.error, `${key}: ${seen} of ${count}, error ${counts.error}`);
        }
      }),
    );
  });

  it('keep what was set last', () => {
    const recent = new Recent<number, string>(2);
    recent.set(1, 'a');
    recent.set(2, 'b');
    recent.set(1, 'c');
    recent.set(3, 'd');
    assert.deepEqual([recent.get(1), recent.get(2), recent.take(3), recent.get(3)], ['c', undefined, 'd', undefined]);
  });

  it('over a time of any length are all there', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1_000_000_000), { minLength: 1, maxLength: 200 }), (times) => {
        const overTime = new OverTime();
        for (const time of times) overTime.add('exit', time);
        const counts = overTime.of('exit');
        assert.ok(counts.length <= 32);
        assert.equal(
          counts.reduce((sum, count) => sum + count, 0),
          times.length,
        );
      }),
    );
  });
});

describe('times', () => {
  it('are written for people', () => {
    assert.deepEqual(
      [1_500, 812, 2_500_000, 3e9, 120_000].map((length) => duration(length, false)),
      ['1.50 µs', '812 ns', '2.50 ms', '3.00 s', '120 µs'],
    );
    assert.equal(duration(1, true), '1 tick');
    assert.equal(moment(5_559_771_610_941_000, false), '5559771.610941');
    assert.equal(grouped(6_275_430), '6,275,430');
  });
});
