/**
 * docs/language.md: every example is run, every word is in it, and its tables and its grammar are those of the source. After a
 * change of words or rules, `npm run generate` writes them anew.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { KEYWORDS } from '../../../server/src/language/syntax/keywords';
import { SETTING_BLOCKS } from '../../../server/src/language/syntax/words/settings';
import { format } from '../../../server/src/language/syntax/print';
import { openScript } from '../../../server/src/api/language';
import { runScript } from '../../../server/src/api/engine';
import { failedExpectations } from '../../../server/src/views/outcome';
import { examples, type Example } from '../../support/examples';
import { withGenerated } from './generated';

const PATH = join(import.meta.dirname, '../../../docs/language.md');
const reference = readFileSync(PATH, 'utf8');

const all = examples(reference);

describe('the reference', () => {
  for (const example of all) {
    it(`line ${example.line}: ${example.text.trim().split('\n')[0]}`, () => run(example));
  }

  it('has an example for every construct', () => {
    const texts = all.map(({ text }) => text).join('\n');
    const has = (word: string): boolean => new RegExp(`(?<![\\w.-])${word.replace(/[.#]/g, '\\$&')}(?![\\w-])`).test(texts);
    const wanted = KEYWORDS.filter(({ category }) =>
      ['declaration', 'statement', 'clause', 'host-act', 'expectation', 'mmu', 'format', 'setting', 'choice'].includes(category),
    );
    const missing = wanted.map(({ word }) => word).filter((word) => !has(word));
    assert.deepEqual(
      [...new Set(missing)].filter((word) => word !== 'only'),
      [],
    );
  });

  it('lists all settings, words, rules and problems as the source has them', () => {
    assert.equal(reference, withGenerated(reference), 'run npm run generate');
  });

  it('has no empty explanation', () => {
    for (const { word, about } of KEYWORDS) assert.ok(about.trim().length > 3, word);
    for (const specs of Object.values(SETTING_BLOCKS))
      for (const [name, spec] of Object.entries(specs)) assert.match(spec.about, /\.$/, name);
  });
});

function run({ scenario, error, notSupportedYet, line }: Example): void {
  assert.notEqual(format(scenario), null, 'has syntax errors');
  const script = openScript(scenario, `file:///docs/language-${line}.mmu`, {
    read: () => null,
    readBytes: (uri) => (uri.endsWith('/guest.dump') ? new Uint8Array(6000).fill(0xcc) : null),
  });
  const serious = script.problems.filter(({ severity }) => severity === 'error' || severity === 'warning');
  const codes = [...new Set(serious.map(({ code }) => code))].sort();
  const expected = [...(error ? [error] : []), ...(notSupportedYet ? ['not-supported-yet'] : [])].sort();
  assert.deepEqual(codes, expected, serious.map(({ message, code }) => `${code}: ${message}`).join('\n'));
  if (serious.some(({ severity }) => severity === 'error')) return;
  assert.ok(script.programs.length > 0, 'nothing runs');
  for (const view of runScript(script, {})) {
    assert.equal(view.record.ended.how, 'done', JSON.stringify(view.record.ended));
    const failed = failedExpectations(view).map((each) => `${view.record.program.name}: expected ${each.expected}, got ${each.got}`);
    assert.deepEqual(failed, []);
  }
}
