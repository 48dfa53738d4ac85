/** The language configuration, against the language itself. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

const json = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));

describe('language configuration', () => {
  const { indentationRules, wordPattern, onEnterRules, folding } = json('syntaxes/language-configuration.json') as {
    indentationRules: { increaseIndentPattern: string; decreaseIndentPattern: string };
    wordPattern: string;
    onEnterRules: { beforeText: string; afterText?: string }[];
    folding: { markers: { start: string; end: string } };
  };

  it('indents behind an open brace only', () => {
    const increase = new RegExp(indentationRules.increaseIndentPattern);
    for (const line of ['vm guest {', 'run a under soft, ept {  // c', '  user write 1 on fault {', 'run "a { b" {', '  host { kvm {', '{'])
      assert.match(line, increase, line);
    for (const line of ['host { memory 64M }', '// vm {', 'read 1 // {', '}', 'import "a {"', 'tlb { l1 16 x 4 } // {'])
      assert.doesNotMatch(line, increase, line);
    assert.match('  }', new RegExp(indentationRules.decreaseIndentPattern));
    assert.doesNotMatch('  slot 0 { }', new RegExp(indentationRules.decreaseIndentPattern));
  });

  it('knows words', () => {
    const words = 'user read 0x40_0123 x 16 expect #PF(P W) paging 4-level hpa-1'.match(new RegExp(wordPattern, 'g'));
    assert.deepEqual(words, ['user', 'read', '0x40_0123', 'x', '16', 'expect', '#PF', 'P', 'W', 'paging', '4-level', 'hpa', '1']);
  });

  it('has patterns that compile, and folding markers', () => {
    for (const { beforeText, afterText = '' } of onEnterRules) assert.doesNotThrow(() => [new RegExp(beforeText), new RegExp(afterText)]);
    assert.match('  // #region slots', new RegExp(folding.markers.start));
    assert.match('// #endregion', new RegExp(folding.markers.end));
  });
});
