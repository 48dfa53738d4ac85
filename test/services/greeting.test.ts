/** What an empty document is told, and that any text ends it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { openScript } from '../../server/src/api/language';
import { completion } from '../../server/src/services/completion';
import { greeting, greetingLenses } from '../../server/src/services/greeting';

const analysisOf = (text: string) => openScript(text, 'file:///new.mmu', { read: () => null }).analysis;

describe('an empty document', () => {
  it('is told what to type, and where to begin', () => {
    for (const text of ['', ' \n\t\n']) {
      const hint = greeting(analysisOf(text))!;
      assert.deepEqual(hint.position, { line: 0, character: 0 });
      const commands = greetingLenses(analysisOf(text)).map(({ command }) => command!);
      assert.deepEqual(commands.map(({ command }) => command), ['mmu.newScenario', 'mmu.openSamples']); // prettier-ignore
      assert.deepEqual(commands[0].arguments, ['file:///new.mmu']);
    }
  });

  it('is offered each word that it is told', () => {
    const offered = completion(analysisOf(''), 0, { snippets: true }).items.map(({ label }) => label);
    const [, told] = /^type (.*);/.exec(String(greeting(analysisOf(''))!.label))!;
    for (const word of told.split(/, | or /)) assert.ok(offered.includes(word), `${word} is not offered`);
  });

  it('is told nothing once something is written', () => {
    for (const text of ['v', '// A question', 'vm guest { }']) {
      assert.equal(greeting(analysisOf(text)), null);
      assert.deepEqual(greetingLenses(analysisOf(text)), []);
    }
  });

  it('is told it in the length that the extension lets hints have', () => {
    const { contributes } = JSON.parse(readFileSync('package.json', 'utf8'));
    const most = contributes.configurationDefaults['[mmu]']['editor.inlayHints.maximumLength'];
    assert.ok(String(greeting(analysisOf(''))!.label).length <= most);
  });
});
