import { strict as assert } from 'node:assert';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { analyze } from '../../server/src/language/analysis';
import { definition } from '../../server/src/services/definition';
import { documentLinks } from '../../server/src/services/document-links';
import { documentHighlights, placesOfName, references } from '../../server/src/services/references';
import { CannotRename, prepareRename, Renaming } from '../../server/src/services/rename';
import { mayDefine, symbolsOf } from '../../server/src/services/workspace-symbols';
import { MACHINE, opened, reader, URI } from '../support/scripts';

/** The name at `<|>` stands exactly at the `⟦…⟧`, in definition, references and highlights. */
function check(fixture: string): void {
  const { analysis, cursor, ranges } = opened(fixture);
  const offsets = (range: { start: { line: number; character: number }; end: { line: number; character: number } }): { start: number; end: number } => ({
    start: analysis.offsetAt(range.start),
    end: analysis.offsetAt(range.end),
  });
  const byStart = (a: { start: number }, b: { start: number }): number => a.start - b.start;
  assert.deepEqual(references(placesOfName(analysis, cursor)!, true).map(({ range }) => offsets(range)).sort(byStart), ranges);
  assert.deepEqual(documentHighlights(analysis, cursor).map(({ range }) => offsets(range)).sort(byStart), ranges);
} // prettier-ignore

describe('names', () => {
  it('are found wherever they stand', () => check('const ⟦pa<|>ge⟧ = 4K\nconst two = 2 * ⟦page⟧\nconst other = ⟦page⟧ + two\n'));
  it('of tables are found in vCPUs and scripts', () =>
    check(
      'vm guest {\n slot 0 { gpa 0 size 1M }\n tables ⟦kernel⟧ at 0x1000 { 0 +4K -> 0x5000 rw }\n vcpu { cr3 ⟦kernel⟧ }\n}\nrun guest {\n ⟦ker<|>nel⟧[0].writable = no\n}\n',
    ));
  it('of loops hold in their loop only', () =>
    check(`${MACHINE}run guest {\n for ⟦i⟧ in 0 .. 3 { read 0x40_0000 + ⟦<|>i⟧ * 8 }\n for i in 0 .. 3 { read 0x40_0000 + i }\n}\n`));
  it('of parameters hold in their block', () => check('block b(⟦a⟧) { read ⟦a<|>⟧ }\nblock c(a) { read a }\n'));

  it('lead to their definition, in imported files too', () => {
    const { analysis, cursor } = opened('import "common.mmu"\nconst two = 2 * pa<|>ge\n', { 'common.mmu': '\nconst page = 4K\n' });
    const [link] = definition(analysis, cursor);
    assert.equal(link.targetUri, 'file:///scenarios/common.mmu');
    assert.deepEqual(link.targetSelectionRange, { start: { line: 1, character: 6 }, end: { line: 1, character: 10 } });
  });

  it('nothing defines lead nowhere', () => {
    const { analysis, cursor } = opened('const two = 2 * pa<|>ge\n');
    assert.deepEqual(definition(analysis, cursor), []);
    assert.equal(placesOfName(analysis, cursor), null);
    assert.equal(prepareRename(analysis, cursor), null);
  });

  it('of files lead to the files', () => {
    const { analysis, cursor } = opened('import "sub/comm<|>on.mmu"\n');
    assert.equal(definition(analysis, cursor)[0].targetUri, 'file:///scenarios/sub/common.mmu');
    assert.deepEqual(documentLinks(analysis).map(({ target }) => target), ['file:///scenarios/sub/common.mmu']); // prettier-ignore
  });

  it('are listed for the workspace', () => {
    const { analysis } = opened('const page = 4K\nblock touch(page_address) { read page_address }\n');
    assert.deepEqual([mayDefine('const page = 4K', 'Page'), mayDefine('const other = 4K', 'Page')], [true, false]);
    assert.equal(symbolsOf(analysis, '', 1).length, 1);
    assert.deepEqual(symbolsOf(analysis, 'Page', 10).map(({ name }) => name), ['page']); // prettier-ignore
  });
});

describe('places of a name', () => {
  it('are looked for where it is defined, and where something is imported and the name stands', () => {
    const { analysis, cursor } = opened('const pa<|>ge = 4K\n');
    const places = placesOfName(analysis, cursor)!;
    const may = (text: string): boolean => places.mayBeIn(text, 'file:///scenarios/other.mmu');
    assert.deepEqual([may('import "a.mmu"\nconst a = page'), may('const a = page'), may('import "a.mmu"\n')], [true, false, false]);
    assert.equal(places.mayBeIn('', analysis.uri), true);
  });
});

describe('renaming', () => {
  const texts = { 'common.mmu': 'const page = 4K\nconst two = 2 * page\n', 'test.mmu': 'import "common.mmu"\nconst three = 3 * page\n' };
  const at = (name: keyof typeof texts): ReturnType<typeof analyze> =>
    analyze(texts[name], URI.replace('test.mmu', name), { read: reader(texts) });

  function renamed(from: keyof typeof texts, word: string, to: string): { [uri: string]: string } {
    const analysis = at(from);
    const others = (Object.keys(texts) as (keyof typeof texts)[]).filter((name) => name !== from).map(at);
    const renaming = new Renaming(placesOfName(analysis, texts[from].indexOf(word))!, analysis, to);
    for (const other of others) renaming.addFrom(other);
    return Object.fromEntries(
      Object.entries(renaming.edit.changes ?? {}).map(([uri, edits]) => {
        const name = uri.slice(uri.lastIndexOf('/') + 1) as keyof typeof texts;
        return [name, TextDocument.applyEdits(TextDocument.create(uri, 'mmu', 1, texts[name]), edits)];
      }),
    );
  }

  const expected = {
    'common.mmu': 'const frame = 4K\nconst two = 2 * frame\n',
    'test.mmu': 'import "common.mmu"\nconst three = 3 * frame\n',
  };
  it('changes files that import, from the definition', () => assert.deepEqual(renamed('common.mmu', 'page', 'frame'), expected));
  it('changes the imported file, from a use', () => assert.deepEqual(renamed('test.mmu', 'page', 'frame'), expected));
  it('is the identity when it is undone', () => {
    const there = renamed('test.mmu', 'page', 'frame');
    assert.deepEqual(Object.keys(there).sort(), Object.keys(texts).sort());
  });

  it('refuses what cannot be a name', () => {
    for (const to of ['run', '4K', 'a b', '', 'read']) assert.throws(() => renamed('test.mmu', 'page', to), CannotRename, to);
  });
  it('refuses a name that means something already', () => assert.throws(() => renamed('common.mmu', 'page', 'two'), CannotRename));
  it('refuses a name that is taken where it is used', () => assert.throws(() => renamed('common.mmu', 'page', 'three'), CannotRename));
});
