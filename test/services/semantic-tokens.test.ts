import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { LEGEND, semanticTokens, tokenEdits } from '../../server/src/services/semantic-tokens';
import { MACHINE, opened } from '../support/scripts';

/** Tokens as `text:type.modifier`. */
function tokensOf(fixture: string): string[] {
  const { analysis, text } = opened(fixture);
  const data = semanticTokens(analysis);
  const found: string[] = [];
  let line = 0;
  let character = 0;
  for (let i = 0; i < data.length; i += 5) {
    character = data[i] === 0 ? character + data[i + 1] : data[i + 1];
    line += data[i];
    const start = analysis.offsetAt({ line, character });
    const modifiers = LEGEND.tokenModifiers.filter((_, bit) => data[i + 4] & (1 << bit));
    found.push([`${text.slice(start, start + data[i + 2])}:${LEGEND.tokenTypes[data[i + 3]]}`, ...modifiers].join('.'));
  }
  return found;
}

const check = (fixture: string, ...expected: string[]): void => {
  const found = tokensOf(fixture);
  for (const each of expected) assert.ok(found.includes(each), `${each} in ${found.join(' ')}`);
};

describe('semantic tokens', () => {
  it('tell words by their place', () =>
    check(
      `${MACHINE}run guest under soft {\n  user read 0x40_0000 expect #PF(P W)\n  cr0.wp = 0\n  kernel[0].writable = no\n}\n`,
      'guest:class.declaration', 'kernel:struct.declaration', 'gpa:property', 'rw:modifier', 'guest:class', 'soft:enumMember',
      'user:keyword', 'read:keyword', '0x40_0000:number', '#PF:keyword', 'P:enumMember', 'cr0:variable.defaultLibrary', 'wp:property',
      'kernel:struct', 'writable:property', 'no:enumMember',
    )); // prettier-ignore

  it('split comments of several lines', () =>
    check('/* one\ntwo */ const a = 1\n', '/* one:comment', 'two */:comment', 'a:variable.declaration.readonly'));

  it('of a range are those of its lines', () => {
    const { analysis } = opened('const a = 1\nconst b = 2\nconst c = 3\n');
    const range = { start: { line: 1, character: 0 }, end: { line: 1, character: 11 } };
    assert.deepEqual(semanticTokens(analysis, range).slice(0, 5), [1, 0, 5, LEGEND.tokenTypes.indexOf('keyword'), 0]);
    assert.equal(semanticTokens(analysis, range).length, 15);
  });

  it('never meet or go back, whatever the text', () => {
    const piece = fc.constantFrom(
      'vm a {',
      '}',
      '\n',
      '/* x\r\n',
      '*/',
      ' read 1 ',
      '"s',
      'const b = ',
      '#PF(',
      '\u{1f600}',
      ' // c\n',
      'run a under soft {',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 15 }), (pieces) => {
        const data = semanticTokens(opened(pieces.join('')).analysis);
        for (let i = 5; i < data.length; i += 5) assert.ok(data[i] > 0 || data[i + 1] >= data[i - 3], `token ${i / 5}`);
        for (let i = 0; i < data.length; i += 5) assert.ok(data[i + 2] > 0 && data[i + 3] >= 0);
      }),
    );
  });

  it('are brought up to date by edits', () => {
    const numbers = fc.array(fc.nat(3), { maxLength: 12 });
    fc.assert(
      fc.property(numbers, numbers, (before, after) => {
        const now = [...before];
        for (const { start, deleteCount, data } of tokenEdits(before, after)) now.splice(start, deleteCount, ...(data ?? []));
        assert.deepEqual(now, after);
      }),
    );
  });
});
