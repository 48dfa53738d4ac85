import assert from 'node:assert/strict';
import { choose } from '../../scripts/mutate/choose';
import { whyEquivalent } from '../../scripts/mutate/equivalent';
import { applied, mutantsOf } from '../../scripts/mutate/mutants';
import type { Mutation } from '../../scripts/mutate/mutants';

/** The texts that a source is changed into, by one kind of mutation. */
const changed = (kind: Mutation, text: string): string[] =>
  mutantsOf('file.ts', text)
    .filter((mutant) => mutant.kind === kind)
    .map((mutant) => applied(text, mutant));

describe('mutants of a source', () => {
  it('have another operator, or none', () => {
    assert.deepEqual(changed('operator', 'a < b && !c'), ['a <= b && !c', 'a < b || !c', 'a < b && c']);
    assert.deepEqual(changed('operator', 'n++; x |= ~y'), ['n--; x |= ~y', 'n++; x &= ~y', 'n++; x |= y']);
  });

  it('have another constant', () => {
    assert.deepEqual(changed('constant', 'f(0, 1, 0x10, 7n, true)'), [
      'f(1, 1, 0x10, 7n, true)',
      'f(0, 0, 0x10, 7n, true)',
      'f(0, 1, 17, 7n, true)',
      'f(0, 1, 0x10, 8n, true)',
      'f(0, 1, 0x10, 7n, false)',
    ]);
    assert.deepEqual(changed('constant', 'const names = { 1: 2 };'), ['const names = { 1: 3 };']);
  });

  it('have a condition that is settled', () => {
    assert.deepEqual(changed('condition', 'if (a) b();'), ['if (true) b();', 'if (false) b();']);
    assert.deepEqual(changed('condition', 'while (a) b();'), ['while (false) b();']);
    assert.deepEqual(changed('condition', 'x = a ? b : c'), ['x = true ? b : c', 'x = false ? b : c']);
  });

  it('lack a statement', () => {
    assert.deepEqual(changed('statement', 'a(); if (b) return; else c = 1;'), [
      ' if (b) return; else c = 1;',
      'a(); if (b) {} else c = 1;',
      'a(); if (b) return; else {}',
    ]);
    assert.deepEqual(changed('statement', 'class A extends B { constructor() { super(); } }'), []);
  });

  it('leave types and imports alone', () => {
    assert.deepEqual(mutantsOf('file.ts', "import { a } from './1';\ntype Bit = 0 | 1;\ninterface I { x: 1 }\ndeclare const N: 5;"), []);
  });
});

describe('the choice of mutants', () => {
  const mutants = mutantsOf('file.ts', Array.from({ length: 50 }, (_, i) => `if (a${i} < ${i}) b${i}();`).join('\n'));

  it('is the same for the same seed, and another for another', () => {
    assert.deepEqual(choose(mutants, 10, 1), choose(mutants, 10, 1));
    assert.notDeepEqual(choose(mutants, 10, 1), choose(mutants, 10, 2));
  });

  it('takes kinds alike, and a line once', () => {
    const chosen = choose(mutants, 12, 3);
    assert.equal(new Set(chosen.map(({ line }) => line)).size, 12);
    for (const kind of ['operator', 'constant', 'condition', 'statement'])
      assert.equal(chosen.filter((each) => each.kind === kind).length, 3);
    assert.equal(choose(mutants, 1000, 3).length, 50);
  });
});

describe('mutants that change nothing', () => {
  it('are those of one place in a line', () => {
    const line = 'return (hi >>> 0) * HALF + (lo >>> 0);';
    const mutants = mutantsOf('server/src/engine/bits.ts', line).filter(({ original }) => original === '>>>');
    assert.deepEqual(
      mutants.map((mutant) => whyEquivalent(mutant, line)),
      ['hi is below 2^21', null],
    );
  });
});
