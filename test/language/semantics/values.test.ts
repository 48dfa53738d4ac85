import assert from 'node:assert/strict';
import fc from 'fast-check';
import { check, script, vm } from '../check';
import { show, showSize } from '../../../server/src/language/semantics/values';

/** Value of a constant. */
function value(text: string): bigint | null {
  const { analysis } = check(`const _a = ${text}`);
  const [item] = analysis.parsed.tree.items;
  return item.kind === 'const' ? analysis.valueOf(item.value) : null;
}

describe('values', () => {
  for (const [text, expected] of [
    ['2 + 3 * 4', 14n],
    ['(2 + 3) * 4', 20n],
    ['7 / 2', 3n],
    ['7 % 4', 3n],
    ['1 << 12 | 0x63', 0x1063n],
    ['0xff00 >> 8 & 0xf', 15n],
    ['2M', 0x20_0000n],
    ['-4K', -4096n],
    ['~0xfff', 0xffff_ffff_ffff_f000n],
    ['0xffff_ffff_ffff_ffff', 0xffff_ffff_ffff_ffffn],
    ['on', 1n],
    ['no', 0n],
    ['0 - 0x8000_0000_0000_0000', -0x8000_0000_0000_0000n],
  ] as const) {
    it(`${text} is ${expected}`, () => assert.equal(value(text), expected));
  }

  it('that leave 64 bits are reported', () => {
    check('const _a = ⟦0xffff_ffff_ffff_ffff + 1⟧', ['overflow: 0x1_0000_0000_0000_0000']);
    check('const _a = ⟦1T * 1T⟧', ['overflow']);
    check('const _a = ⟦-0xffff_ffff_ffff_ffff⟧', ['overflow']);
    check('const _a = 1 << ⟦64⟧', ['bad-shift']);
    check('const _a = 1 >> ⟦(0 - 1)⟧', ['bad-shift']);
  });

  it('divided by zero are reported', () => {
    check('const _a = 4 / ⟦(2 - 2)⟧\nconst _b = 1 % ⟦0⟧', ['division-by-zero', 'division-by-zero']);
  });

  it('of constants that go round are reported once', () => {
    check('const ⟦a⟧ = b\nconst b = a + 1', ['constant-cycle']);
    const chain = Array.from({ length: 150 }, (_, i) => `const c${i} = c${i + 1}`).join('\n');
    check(`const _a = c0\n${chain.replace('const c99 ', 'const ⟦c99⟧ ')}\nconst c150 = 1`, ['constant-cycle']);
  });

  it('that are unknown are reported where they are unknown, and nowhere else', () => {
    check(script('const a = 1 / ⟦0⟧\n read a\n for i in a .. a + 2 { read 0x40_0000 + i }'), ['division-by-zero']);
  });

  it('agree with exact arithmetic', () => {
    const number = fc.bigInt(0n, (1n << 64n) - 1n);
    fc.assert(
      fc.property(number, number, fc.constantFrom('+', '-', '&', '|'), (a, b, operator) => {
        const exact = { '+': a + b, '-': a - b, '&': a & b, '|': a | b }[operator]!;
        const analysis = check(`const a = ${a}`, []);
        assert.equal(analysis.problems.length, 0);
        if (exact >= -(1n << 63n) && exact < 1n << 64n) assert.equal(value(`${a} ${operator} ${b}`), exact);
      }),
      { numRuns: 50 },
    );
  });
});

describe('ranges', () => {
  it('need a length', () => {
    check(script('for i in ⟦3⟧ .. 2 { read i }').replace('⟦3⟧ .. 2', '3 .. ⟦2⟧'), ['empty-range']);
    check(script('for i in 3 +⟦0⟧ { read i }'), ['empty-range']);
  });

  it('of 10^9 rounds are refused at once', () => {
    check(script('for i in ⟦0 .. 999_999_999⟧ { read 0x40_0000 }'), ['too-many-rounds: 1000000000']);
    check(vm('for i in 0 .. 9_999 { for j in ⟦0 .. 9_999⟧ { word 8 * i = 1 } }\n vcpu { paging none }'), ['too-many-rounds']);
  });

  it('are gone through by steps, which are positive', () => {
    const analysis = check(script('for a in 0x40_0000 +16K step 4K { read a }'));
    assert.deepEqual(
      analysis.programs[0].acts.map((act) => (act.do === 'access' ? act.address : 0n)),
      [0x40_0000n, 0x40_1000n, 0x40_2000n, 0x40_3000n],
    );
    check(script('for a in 0 .. 3 step ⟦0⟧ { read a }'), ['bad-step']);
    check(script('for a in 0 .. 3 step ⟦-1⟧ { read a }'), ['bad-step']);
  });

  it('of many acts are refused', () => {
    check(script('for a in 0 .. 200_000 { ⟦invlpg a⟧ }'), ['too-many-acts']);
  });
});

describe('numbers in messages', () => {
  it('are as one would write them', () => {
    assert.equal(show(0x7f00_0000_0000n), '0x7f00_0000_0000');
    assert.equal(show(7), '7');
    assert.equal(show(-4096n), '-0x1000');
    assert.equal(showSize(2n << 20n), '2M');
    assert.equal(showSize(4096), '4K');
    assert.equal(showSize(4097), '0x1001');
  });
});
