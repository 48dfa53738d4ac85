import { strict as assert } from 'node:assert';
import type { CompletionItem } from 'vscode-languageserver-types';
import { parse } from '../../server/src/language/syntax/parse';
import { format } from '../../server/src/language/syntax/print';
import { completion } from '../../server/src/services/completion';
import { insertion } from '../support/completion-places';
import { MACHINE, opened } from '../support/scripts';

/** Where snippets can stand: a file, a VM, tables, a script; with a machine, and without. */
const PLACES: { readonly [name: string]: readonly [string, string] } = {
  'an empty file': ['', ''],
  'a file with a machine': [MACHINE, ''],
  'a VM': [MACHINE.replace(/\}\n$/, '  '), '\n}\n'],
  'an empty VM': ['vm guest {\n  ', '\n}\n'],
  'tables': ['vm guest {\n  slot 0 { gpa 0  size 16M }\n  tables kernel at 0x1000 {\n    ', '\n  }\n}\n'],
  'a script': [`${MACHINE}run guest under soft, ept {\n  `, '\n}\n'],
}; // prettier-ignore

function snippets(before: string, behind: string, able = true): CompletionItem[] {
  const { analysis, cursor } = opened(`${before}<|>${behind}`);
  return completion(analysis, cursor, { snippets: able }).items.filter(
    ({ insertTextFormat, kind }) => insertTextFormat === 2 && kind === 15,
  );
}

const lines = (text: string): string[] => text.split('\n').map((line) => line.trim()).filter((line) => line !== ''); // prettier-ignore

describe('snippets', () => {
  for (const [place, [before, behind]] of Object.entries(PLACES)) {
    describe(`of ${place}`, () => {
      const items = snippets(before, behind);
      it('have labels of their own, and say what they are', () => {
        assert.ok(items.length > 0);
        assert.equal(new Set(items.map(({ label }) => label)).size, items.length);
        for (const { label, detail } of items) assert.match(detail!, /^[A-Z].*[^.]$/, label);
      });
      for (const item of items) {
        it(`${item.label} is understood there, and printed as it is`, () => {
          const text = insertion(item).replaceAll('\t', '  ').replace(/^\s*$/m, '// here');
          const whole = before + text + behind;
          assert.deepEqual(parse(whole).errors.map(({ message }) => message), []); // prettier-ignore
          const printed = lines(format(whole)!);
          for (const line of lines(text)) assert.ok(printed.includes(line), `${line}\nin\n${printed.join('\n')}`);
        });
      }
    });
  }

  const body = (label: string, before: string, behind: string): string =>
    insertion(snippets(before, behind).find((each) => each.label === label)!);

  it('name what the machine has', () => {
    const other = MACHINE.replaceAll('guest', 'l1').replaceAll('kernel', 'tree').replace('0x40_0000', '0x80_0000');
    assert.match(body('run { … }', other, ''), /^run l1 under/);
    assert.match(body('slot { … }', other.replace(/\}\n$/, ''), '\n}\n'), /^slot 1 \{ gpa 0x100_0000 /);
    assert.match(body('change an entry', `${other}run l1 {\n  `, '\n}\n'), /^tree\[0x80_0000\]/);
  });
  it('of a whole scenario, and of runs, only where they fit', () => {
    const labels = (before: string): string[] => snippets(before, '').map(({ label }) => label);
    assert.ok(labels('').includes('scenario') && !labels('').includes('run { … }'));
    assert.ok(!labels(MACHINE).includes('scenario') && labels(MACHINE).includes('run { … }'));
  });
  it('are for editors that fill them in', () => assert.deepEqual(snippets('', '', false), []));
});
