import assert from 'node:assert/strict';
import { MAX_DEPTH, scan, tokensOf } from '../../../server/src/language/syntax/scan';

/** Kinds and texts of tokens, as `Word a`; words of the language and signs by themselves. */
function told(text: string): string[] {
  return tokensOf(text).map(({ tokenType: { name }, image }) => (/^[A-Z]/.test(name) && /\w|"/.test(image) ? `${name} ${image}` : image));
}

describe('a scan', () => {
  it('tells names, words and numbers apart', () => {
    assert.deepEqual(told('user read 0x40_0000 4K 12'), ['user', 'read', 'Num 0x40_0000', 'Num 4K', 'Num 12']);
    assert.deepEqual(told('kernel _a1'), ['kernel', 'Word _a1']);
  });

  it('knows paging modes and versions from numbers', () => {
    assert.deepEqual(told('4-level 5-level 32-bit 6.1 7.25'), ['4-level', '5-level', '32-bit', '6.1', 'Version 7.25']);
    assert.deepEqual(told('4-levels 6-level 32-bits'), ['Num 4', '-', 'Word levels', 'Num 6', '-', 'level', 'Num 32', '-', 'Word bits']);
    assert.deepEqual(told('0..15 1.x'), ['0', '..', 'Num 15', 'Num 1', '.', 'x']);
  });

  it('takes the longest sign', () => assert.deepEqual(told('->-.. . += + == = <= << >= >>'), ['->', '-', '..', '.', '+=', '+', '==', '=', '<=', '<<', '>=', '>>'])); // prettier-ignore

  it('knows a length by the spaces around its sign', () => {
    const names = (text: string): string[] => tokensOf(text).map(({ tokenType }) => tokenType.name);
    assert.deepEqual(names('a +2M'), ['Word', 'PlusSize', 'Num']);
    for (const sum of ['a + 2M', 'a+2M', 'a+ 2M', 'a +', 'a +/**/2M']) assert.equal(names(sum)[1], 'Plus', sum);
    assert.equal(names('a/**/+2M')[1], 'PlusSize');
  });

  it('marks what is first on its line, over comments too', () => {
    const columns = (text: string): number[] => tokensOf(text).map(({ column }) => column);
    assert.deepEqual(columns('  a b // c\n c\r\n  d\re'), [2, -1, 1, 2, 0]);
    assert.deepEqual(columns('a /* b\n */ c /* d */ e'), [0, 4, -1]);
  });

  it('reports what begins no token, once for a run of it', () => {
    const { problems, tokens } = scan('a ;;é b < c "d\n/* e');
    assert.equal(tokens.count, 4);
    assert.deepEqual(
      problems.map(({ code, range }) => [code, range.start, range.end]),
      [
        ['unexpected-character', 2, 5],
        ['unexpected-character', 8, 9],
        ['unterminated-string', 12, 14],
        ['unterminated-comment', 15, 17],
      ],
    );
  });

  it('reads no further where brackets are nested too deeply', () => {
    const { tokens, problems, cut } = scan(`${'('.repeat(MAX_DEPTH + 5)}a`);
    assert.deepEqual([tokens.count, problems.map(({ code }) => code), cut], [MAX_DEPTH, ['too-deep'], true]);
  });

  it('has room for as many tokens as characters', () => {
    const text = '-'.repeat(10_000);
    assert.equal(scan(text).tokens.count, text.length);
  });
});
