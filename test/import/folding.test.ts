import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { episodesIn, isLoop, type Folded } from '../../server/src/import/folding/run';
import { explained, exit, entry, fault, line, mapped, unanswered } from './explained';

const foldedOf = (text: string): Folded[] => explained(text).listed.map(({ folded }) => folded);
const shape = (folded: Folded): unknown => [folded.times, folded.body.map(({ count, stays }) => [count, stays])];

describe('episodes that are alike', () => {
  it('are one: at an address, or moving', () => {
    assert.deepEqual(foldedOf(unanswered('1000').repeat(5)).map(shape), [[1, [[5, true]]]]);
    const [moving] = foldedOf([1, 2, 3, 4].map((gfn) => mapped(gfn)).join(''));
    assert.deepEqual([shape(moving), moving.body[0].low, moving.body[0].high], [[1, [[4, false]]], 0x1000n, 0x4000n]);
  });

  it('are apart where the guest stays and where it moves, and where it comes back', () => {
    assert.deepEqual(foldedOf(['1000', '2000', '3000', '3000', '3000'].map((at) => unanswered(at)).join('')).map(shape), [
      [1, [[3, false]]],
      [1, [[2, true]]],
    ]);
    assert.deepEqual(foldedOf([1, 2, 3, 1, 2].map((gfn) => mapped(gfn)).join('')).map(shape), [
      [1, [[3, false]]],
      [1, [[2, false]]],
    ]);
  });

  it('go on behind exits that have nothing to do with them', () => {
    const interrupt = line(exit('EXTERNAL_INTERRUPT')) + line(entry());
    const [folded, ...others] = foldedOf(unanswered('1000').repeat(3) + interrupt + unanswered('1000').repeat(2));
    assert.deepEqual([shape(folded), folded.body[0].interrupted, others.length], [[1, [[5, true]]], 1, 0]);
    // What ends with them is not theirs.
    assert.deepEqual(foldedOf(unanswered('1000').repeat(3) + interrupt + mapped(7)).map(shape), [
      [1, [[3, true]]],
      [1, [[1, true]]],
      [1, [[1, true]]],
    ]);
  });

  it('are a loop of several when they come in the same order, up to the first that differs', () => {
    const round = line(exit('CPUID', '0x20')) + line(entry('0x22')) + unanswered('1000', '0x30');
    const [loop, rest] = foldedOf(round.repeat(6) + mapped(9));
    assert.deepEqual([shape(loop), shape(rest)], [
      [6, [[1, true], [1, true]]],
      [1, [[1, true]]],
    ]); // prettier-ignore
    assert.equal(loop.differs, rest.body[0].first);
    assert.deepEqual([loop.body[0].first.line, loop.body[1].last.lastLine], [1, 30]);
  });

  it('are each vCPU’s own, however they are mixed', () => {
    const folded = foldedOf(
      Array.from({ length: 4 }, () => unanswered('1000', '0x10', 'CPU 0/KVM-100') + unanswered('2000', '0x10', 'CPU 1/KVM-101')).join(''),
    );
    assert.deepEqual(folded.map(shape), [[1, [[4, true]]], [1, [[4, true]]]]); // prettier-ignore
  });

  it('that the trace cuts off, at its beginning and at its end, belong to them', () => {
    const whole = unanswered('1000').repeat(3);
    const text = whole.slice(whole.indexOf('\n') + 1) + line(exit('EPT_VIOLATION'));
    assert.deepEqual(foldedOf(text).map(shape), [[1, [[4, true]]]]);
  });

  it('do not belong to them when they are at another place, or of another kind', () => {
    const whole = unanswered('1000').repeat(3) + line(exit('EPT_VIOLATION'));
    for (const [cut, counts] of [
      [fault('1000'), [4]],
      [fault('2000'), [3, 1]],
      [fault('1000', '0x182'), [3, 1]],
    ] as const) {
      assert.deepEqual(foldedOf(whole + line(cut)).map(({ body }) => body[0].count), counts); // prettier-ignore
    }
  });

  it('are a loop where the guest does not get on: of one, when it faults where it was entered and nothing comes of it', () => {
    const loops = (text: string): boolean[] => foldedOf(text).map(isLoop);
    const entered = line(exit('HLT', '0x8')) + line(entry('0x10'));
    assert.deepEqual(loops(entered + unanswered('1000', '0x10')), [false, true]);
    assert.deepEqual(loops(entered + unanswered('1000', '0x14')), [false, false]);
    assert.deepEqual(loops(entered + mapped(1)), [false, false]);
    assert.deepEqual(loops(unanswered('1000').repeat(2)), [true]);
    assert.deepEqual(loops(mapped(1) + mapped(2)), [false]);
  });

  it('are all there in the end, in their order', () => {
    const kinds = [
      unanswered('1000'),
      unanswered('2000'),
      mapped(1),
      mapped(2),
      line(exit('HLT')) + line(entry()),
      line(exit('EXTERNAL_INTERRUPT')) + line(entry()),
    ];
    fc.assert(
      fc.property(fc.array(fc.nat(kinds.length - 1), { maxLength: 60 }), fc.integer({ min: 1, max: 6 }), (order, times) => {
        const text = order.map((kind) => kinds[kind]).join('').repeat(times); // prettier-ignore
        const folded = foldedOf(text);
        const sum = (of: (each: Folded) => number): number => folded.reduce((all, each) => all + of(each), 0);
        const aside = sum(({ body }) => body.reduce((all, { interrupted }) => all + interrupted, 0));
        assert.equal(sum(episodesIn) + aside, order.length * times);
        const lines = folded.map(({ body }) => body[0].first.line);
        assert.deepEqual(lines, [...lines].sort((a, b) => a - b)); // prettier-ignore
      }),
      { numRuns: 60 },
    );
  });
});
