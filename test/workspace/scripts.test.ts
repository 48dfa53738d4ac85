import { strict as assert } from 'node:assert';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { Allowed } from '../../server/src/workspace/allowed';
import { Files } from '../../server/src/workspace/files';
import { Scripts } from '../../server/src/workspace/scripts';
import { search } from '../../server/src/workspace/search';

const uriOf = (index: number): string => `file:///scenarios/${index}.mmu`;

/** Files that are not open, by their number; loaded ones are counted. */
function setUp(text: (index: number) => string, open: readonly TextDocument[] = []) {
  let loads = 0;
  const files = new Files((uri) => Promise.resolve(text(Number(/(\d+)\.mmu/.exec(uri)?.[1]))));
  const dumps = new Files<Uint8Array>(() => {
    loads++;
    return Promise.resolve(new Uint8Array(8));
  });
  const scripts = new Scripts((uri) => open.find((each) => each.uri === uri), files, dumps, new Allowed(['file:///scenarios'], true));
  return { scripts, loads: () => loads };
}

const never = { isCancellationRequested: false };

describe('analyses of files that are not open', () => {
  it('are kept while there are few, and the oldest go when there are many', async () => {
    const { scripts } = setUp((index) => `const a${index} = 1\n`);
    const first = await scripts.getFile(uriOf(0));
    assert.equal(await scripts.getFile(uriOf(0)), first);
    for (let index = 1; index <= 60; index++) await scripts.getFile(uriOf(index));
    assert.notEqual(await scripts.getFile(uriOf(0)), first);
  });

  it('of long texts go sooner', async () => {
    const { scripts } = setUp((index) => `const a${index} = 1\n${'// long\n'.repeat(100_000)}`);
    const first = await scripts.getFile(uriOf(0));
    for (let index = 1; index <= 4; index++) await scripts.getFile(uriOf(index));
    assert.notEqual(await scripts.getFile(uriOf(0)), first);
  });

  it('push out none of a document that is open', async () => {
    const document = TextDocument.create(uriOf(0), 'mmu', 1, 'const a = 1\n');
    const { scripts } = setUp((index) => `const a${index} = 1\n`, [document]);
    const open = await scripts.get(uriOf(0));
    for (let index = 1; index <= 60; index++) await scripts.getFile(uriOf(index));
    assert.equal(await scripts.get(uriOf(0)), open);
  });

  it('ask for no contents of files that they load', async () => {
    const text = 'vm guest { slot 0 { gpa 0 size 1M } load "guest.dump" at 0 vcpu { paging none } }\n';
    const { scripts, loads } = setUp(() => text, [TextDocument.create(uriOf(0), 'mmu', 1, text)]);
    await scripts.getFile(uriOf(1));
    assert.equal(loads(), 0);
    await scripts.get(uriOf(0));
    assert.equal(loads(), 1);
  });
});

describe('a search through the workspace', () => {
  const text = (index: number): string => `const a${index} = ${'1 + '.repeat(200)}1\n`;
  const uris = Array.from({ length: 40 }, (_, index) => uriOf(index));

  it('understands only texts that fit, and lets others have their turn', async () => {
    const { scripts } = setUp(text);
    let time = 0;
    let turns = 0;
    const found: string[] = [];
    const giveWay = (): Promise<void> => (turns++, Promise.resolve());
    const options = { scripts, uris, fits: (each: string) => each.includes('a3'), giveWay, now: () => (time += 3), token: never };
    for await (const { uri } of search(options)) found.push(uri);
    assert.deepEqual(found, [3, ...Array.from({ length: 10 }, (_, index) => 30 + index)].map(uriOf));
    assert.ok(turns >= 10);
  });

  it('ends when nobody wants to know any more', async () => {
    const { scripts } = setUp(text);
    const token = { isCancellationRequested: false };
    let found = 0;
    const options = { scripts, uris, fits: () => true, giveWay: () => Promise.resolve(), now: () => 0, token };
    for await (const { uri } of search(options)) {
      found++;
      if (uri === uriOf(4)) token.isCancellationRequested = true;
    }
    assert.equal(found, 5);
  });
});
