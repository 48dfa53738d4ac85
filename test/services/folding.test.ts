import { strict as assert } from 'node:assert';
import { foldingRanges } from '../../server/src/services/folding';
import { opened } from '../support/scripts';

/** @param expected `first-last kind` lines, counted from zero */
function check(fixture: string, expected: readonly string[]): void {
  const found = foldingRanges(opened(fixture).analysis).map(({ startLine, endLine, kind }) =>
    [`${startLine}-${endLine}`, kind].filter(Boolean).join(' '),
  );
  assert.deepEqual(found.sort(), [...expected].sort());
}

describe('folding', () => {
  it('folds bodies, the line of the brace stays', () => check('vm guest {\n  vcpu {\n    cpl 0\n  }\n}\n', ['0-3', '1-2']));
  it('leaves what is on one line', () => check('host { memory 64M }\n', []));
  it('folds comments and imports that follow each other', () =>
    check('// one\n// two\nimport "a.mmu"\nimport "b.mmu"\n\n/* three\nfour */\n', ['0-1 comment', '2-3 imports', '5-6 comment']));
  it('does not join comments behind code', () => check('const a = 1 // one\n// two\n', []));
  it('folds a body without its end', () => check('run guest {\n  read 1\n', ['0-1'].slice(1)));
});
