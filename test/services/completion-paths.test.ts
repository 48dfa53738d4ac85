import { strict as assert } from 'node:assert';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { CompletionItem, CompletionList } from 'vscode-languageserver/node';
import type { FolderEntry } from '../../server/src/protocol/messages';
import { expectedAt } from '../../server/src/language/syntax/expected';
import { pathItems, pathPlace } from '../../server/src/services/completion/paths';
import { Allowed } from '../../server/src/workspace/allowed';
import { Folders } from '../../server/src/workspace/folders';
import { processClient } from '../support/lsp';
import { opened } from '../support/scripts';

const file = (name: string): FolderEntry => ({ name, folder: false });
const folder = (name: string): FolderEntry => ({ name, folder: true });
const ENTRIES = [file('test.mmu'), file('common.mmu'), file('guest.dump'), folder('lib'), folder('.git'), folder('node_modules')];

function place(fixture: string): ReturnType<typeof pathPlace> {
  const { analysis, cursor } = opened(fixture);
  return pathPlace(analysis, cursor, expectedAt(analysis.parsed.text, cursor));
}

function items(fixture: string): CompletionItem[] {
  return pathItems(place(fixture)!, ENTRIES);
}

const written = (list: CompletionItem[]): (string | undefined)[] => list.map(({ textEdit }) => textEdit?.newText);

describe('completion of paths', () => {
  it('of an import: folders and the other scenarios, the quote closed', () => {
    assert.deepEqual(written(items('import "<|>')), ['lib/', 'common.mmu"']);
    assert.deepEqual(written(items('import "co<|>"\nvm a { }')), ['lib/', 'common.mmu']);
  });
  it('of a load: folders and files that are no scenarios', () => {
    assert.deepEqual(written(items('vm a {\n  load "<|>\n}')), ['lib/', 'guest.dump"']);
  });
  it('looks into the folder that is written', () => {
    assert.equal(place('import "<|>')?.folder, 'file:///scenarios');
    assert.equal(place('import "lib/<|>"')?.folder, 'file:///scenarios/lib');
    assert.equal(place('import "lib/deep/co<|>m"')?.folder, 'file:///scenarios/lib/deep');
    assert.equal(place('import "../lib/<|>"')?.folder, 'file:///lib');
  });
  it('replaces the last part alone', () => {
    const [item] = items('import "lib/co<|>m"');
    assert.deepEqual(item.textEdit && 'range' in item.textEdit && item.textEdit.range, {
      start: { line: 0, character: 12 },
      end: { line: 0, character: 15 },
    });
  });
  it('brings the quotes where they are not there', () => {
    assert.deepEqual(written(items('import <|>')), ['"lib/', '"common.mmu"']);
  });
  it('is none behind the quotes, and in a title', () => {
    for (const fixture of ['import "a.mmu"<|>', '<|>import "a"', 'run a "ti<|>tle" { }']) assert.equal(place(fixture), null, fixture);
  });
});

describe('folders', () => {
  const asked: string[] = [];
  const read = (uri: string): Promise<FolderEntry[]> => {
    asked.push(uri);
    return Promise.resolve([file('a.mmu')]);
  };
  const listed = async (workspace: string[], uri: string): Promise<number> =>
    (await new Folders(new Allowed(workspace, true), read).list(uri, 'file:///w/s/a.mmu')).length;

  it('of the workspace are listed, nothing outside', async () => {
    assert.equal(await listed(['file:///w'], 'file:///w/s'), 1);
    assert.equal(await listed(['file:///w/'], 'file:///w'), 1);
    asked.length = 0;
    for (const uri of ['file:///', 'file:///wide', 'file:///etc']) assert.equal(await listed(['file:///w'], uri), 0);
    assert.deepEqual(asked, []);
  });
  it("of a file alone: that file's", async () => {
    assert.equal(await listed([], 'file:///w/s/deep'), 1);
    assert.equal(await listed([], 'file:///w'), 0);
  });
  it('that cannot be read are empty', async () => {
    assert.deepEqual(
      await new Folders(new Allowed(['file:///w'], true), () => Promise.reject(new Error('gone'))).list('file:///w', 'file:///w/a.mmu'),
      [],
    );
    assert.deepEqual(
      await new Folders(new Allowed(['file:///w'], true), () => Promise.resolve(null)).list('file:///w', 'file:///w/a.mmu'),
      [],
    );
  });

  it('are read by the server itself, or by the client where it says so', async function () {
    this.timeout(60_000);
    const root = mkdtempSync(join(tmpdir(), 'mmu-folders-'));
    try {
      mkdirSync(join(root, 'lib'));
      writeFileSync(join(root, 'common.mmu'), '');
      const workspaceFolders = [{ uri: pathToFileURL(root).href, name: 'w' }];
      const uri = pathToFileURL(join(root, 'a.mmu')).href;
      for (const initializationOptions of [{}, { readFiles: true }]) {
        const client = await processClient({ workspaceFolders, initializationOptions });
        client.connection.onRequest('mmu/readFolder', () => [file('other.mmu')]);
        await client.open(uri, 'import "');
        const list = await client.at<CompletionList>('textDocument/completion', uri, { line: 0, character: 8 });
        const labels = list.items.map(({ label }) => label);
        assert.deepEqual(labels, 'readFiles' in initializationOptions ? ['other.mmu'] : ['lib/', 'common.mmu']);
        assert.equal(await client.end(), 0);
      }
    } finally {
      rmSync(root, { recursive: true });
    }
  });
});
