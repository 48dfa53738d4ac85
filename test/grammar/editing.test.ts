/** Snippets and the language configuration, against the language itself. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { parse } from '../../server/src/language/syntax/parse';
import { format } from '../../server/src/language/syntax/print';

interface Snippet {
  readonly prefix: string;
  readonly description: string;
  readonly body: string | readonly string[];
}

const json = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));

/** The snippet as it stands when nothing is typed over. */
function expanded({ body }: Snippet): string {
  const text = (typeof body === 'string' ? body : body.join('\n')).replace(/^(\s*)\$0$/m, '$1// here');
  return text.replace(/\$\{\d+\|([^,|]+)[^}]*\|\}/g, '$1').replace(/\$\{\d+:([^}]*)\}/g, '$1').replace(/\$\{?\d+\}?/g, ''); // prettier-ignore
}

/** Where snippets can stand: a file, a VM, tables, a script. */
const AROUND = [
  ['', ''],
  ['vm a {\n', '\n}'],
  ['vm a {\n  tables k {\n', '\n  }\n}'],
  ['run a {\n', '\n}'],
] as const;

describe('snippets', () => {
  const snippets = Object.entries(json('syntaxes/snippets.json') as { [name: string]: Snippet });

  it('have prefixes of their own and a description', () => {
    assert.equal(new Set(snippets.map(([, { prefix }]) => prefix)).size, snippets.length);
    for (const [name, { description }] of snippets) assert.match(description, /^[A-Z].*[^.]$|^KVM/, name);
  });

  for (const [name, snippet] of snippets) {
    it(`${name} is understood, and printed as it is`, () => {
      const text = expanded(snippet);
      const around = AROUND.find(([before, behind]) => parse(before + text + behind).errors.length === 0);
      assert.ok(around, `${parse(`run a {\n${text}\n}`).errors[0]?.message}\n${text}`);
      const lines = (all: string): string[] => all.split('\n').map((line) => line.trim()).filter((line) => line !== ''); // prettier-ignore
      const printed = lines(format(around[0] + text + around[1])!);
      for (const line of lines(text)) assert.ok(printed.includes(line) || /^\}?$/.test(line), `${line}\nin\n${printed.join('\n')}`);
    });
  }
});

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
