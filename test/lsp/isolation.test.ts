import { strict as assert } from 'node:assert';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { TextDocument } from 'vscode-languageserver-textdocument';
import type { RunInfo } from '../../server/src/protocol/messages';
import { inThread } from '../../server/src/worker/in-thread';
import type { WorkerLike } from '../../server/src/worker/worker-like';
import type { Runtime } from '../../server/src/workspace/runtime';
import type { LspClient } from '../support/lsp';
import { bundles, PULLS, threadClient } from '../support/lsp';
import { MACHINE } from '../support/scripts';

const URI = 'file:///scenarios/a.mmu';
const TEXT = `${MACHINE}run guest under ept {\n  user read 0x40_0000  expect ok\n}\n`;

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const runtime = (more: Partial<Runtime> = {}): Runtime => ({
  readFile: () => Promise.resolve(undefined),
  readFolder: () => Promise.resolve(null),
  findFiles: () => Promise.resolve([]),
  spawnWorker: () => inThread(setImmediate, () => performance.now()),
  now: () => performance.now(),
  later(call, milliseconds) {
    const timer = setTimeout(call, milliseconds);
    return () => clearTimeout(timer);
  },
  ...more,
});

describe('what goes wrong in one place', function () {
  this.timeout(60_000);

  it('is a line in the log and an empty answer, and the rest goes on', async () => {
    const client = await threadClient(
      runtime({
        findFiles() {
          throw new Error('no folder today');
        },
      }),
      { capabilities: PULLS },
    );
    await client.open(URI, TEXT);
    const position = { line: 0, character: 4 };
    assert.equal(
      await client.request('textDocument/references', { textDocument: { uri: URI }, position, context: { includeDeclaration: true } }),
      null,
    );
    assert.match(await client.until(client.logs, (line) => line.includes('no folder today')), /^references failed: Error/);
    assert.ok(await client.at('textDocument/hover', URI, position));
    await client.end();
  });

  it('is told when no worker can be made, and the text is still checked', async () => {
    const client = await threadClient(
      runtime({
        spawnWorker() {
          throw new Error('no thread today');
        },
      }),
      { capabilities: PULLS },
    );
    await client.open(URI, TEXT);
    const found = await client.diagnostics(URI);
    assert.ok(
      found.some(({ code, message }) => code === 'engine-failure' && String(message).includes('no thread today')),
      JSON.stringify(found),
    );
    await client.end();
  });

  it('is a failed run when a worker is killed; the next run has another', async () => {
    const script = join(await bundles(), 'server.js');
    const threads: Worker[] = [];
    const spawnWorker = (): WorkerLike => {
      const thread = new Worker(script);
      threads.push(thread);
      return {
        post: (request) => thread.postMessage(request),
        onAnswer: (listener) => void thread.on('message', listener),
        onEnd: (listener) => void thread.on('exit', (code) => listener(`exit code ${code}`)),
        end: () => void thread.terminate(),
      };
    };
    const client = await threadClient(runtime({ spawnWorker }), { capabilities: PULLS });
    const long = TEXT.replace('read 0x40_0000', 'read 0x40_0000 x 1_000_000_000');
    await client.open(URI, `budget { steps 1_000_000_000  events 50_000_000 }\n${long}`);
    await client.until(client.runStates, ({ state }) => state === 'running');
    await new Promise<void>((resolve) => threads[0].once('online', resolve));
    await threads[0].terminate();
    const failed = await client.until(client.runStates, ({ state }) => state === 'failed');
    assert.match(failed.message ?? '', /exit code/);
    await client.change(URI, 2, [{ text: TEXT }]);
    const runs = await client.request<RunInfo[]>('mmu/run', { uri: URI });
    assert.deepEqual(runs.map(({ ended }) => ended), ['done']); // prettier-ignore
    assert.equal(threads.length, 2);
    await client.end();
  });
});

describe('a run that takes long', function () {
  this.timeout(60_000);

  it('is shown as work under way, and given up there', async () => {
    const script = join(await bundles(), 'server.js');
    const spawnWorker = (): WorkerLike => {
      const thread = new Worker(script);
      return {
        post: (request) => thread.postMessage(request),
        onAnswer: (listener) => void thread.on('message', listener),
        onEnd: () => undefined,
        end: () => void thread.terminate(),
      };
    };
    const client = await threadClient(runtime({ spawnWorker }), { capabilities: { ...PULLS, window: { workDoneProgress: true } } });
    const kinds: { kind: string; title?: string; cancellable?: boolean }[] = [];
    const token = new Promise<string>((resolve) =>
      client.connection.onRequest('window/workDoneProgress/create', (params: { token: string }) => resolve(params.token)),
    );
    const begun = new Promise<void>((resolve) =>
      client.connection.onNotification('$/progress', ({ value }: { value: (typeof kinds)[0] }) => {
        kinds.push(value);
        if (value.kind === 'begin') resolve();
      }),
    );
    const long = TEXT.replace('read 0x40_0000', 'read 0x40_0000 x 1_000_000_000');
    await client.open(URI, `budget { steps 1_000_000_000  events 50_000_000 }\n${long}`);
    const shown = await token;
    await begun;
    await client.connection.sendNotification('window/workDoneProgress/cancel', { token: shown });
    const over = await client.until(client.runStates, ({ state }) => state === 'failed');
    assert.equal(over.message, 'the run was cancelled');
    assert.deepEqual([kinds[0].kind, kinds[0].title, kinds[0].cancellable], ['begin', 'Running a.mmu', true]);
    await client.end();
  });
});

describe('files that are imported', function () {
  this.timeout(60_000);
  const COMMON = 'file:///scenarios/common.mmu';
  const MAIN = 'import "common.mmu"\nconst two = 2 * page\nhost { memory two * 1M }\n';

  it('are read through the runtime, and again when they change', async () => {
    const files = new Map([[COMMON, bytes('const page = 4\n')]]);
    const client = await threadClient(runtime({ readFile: (uri) => Promise.resolve(files.get(uri) ?? null) }), { capabilities: PULLS });
    await client.open(URI, MAIN);
    assert.deepEqual(await client.diagnostics(URI), []);
    files.set(COMMON, bytes('const other = 4\n'));
    await client.connection.sendNotification('workspace/didChangeWatchedFiles', { changes: [{ uri: COMMON, type: 2 }] });
    assert.ok((await client.diagnostics(URI)).some(({ message }) => String(message).includes('page')));
    await client.end();
  });

  it('of bytes are read through the runtime, and again after a save', async () => {
    let dump: Uint8Array | null = null;
    const reads = { readFile: (uri: string) => Promise.resolve(uri === 'file:///scenarios/guest.dump' ? dump : null) };
    const client = await threadClient(runtime(reads), { capabilities: PULLS });
    await client.open(
      URI,
      'vm guest { slot 0 { gpa 0  size 16M }  load "guest.dump" at 0x5000  vcpu { paging none } }\nrun guest { read 0x5000 }\n',
    );
    assert.deepEqual((await client.diagnostics(URI)).map(({ code }) => code), ['no-such-file']); // prettier-ignore
    dump = new Uint8Array(8);
    await client.connection.sendNotification('textDocument/didSave', { textDocument: { uri: URI } });
    assert.deepEqual(await client.diagnostics(URI), []);
    await client.end();
  });

  it('are taken from the editor when they are open there', async () => {
    const client = await threadClient(runtime({ readFile: () => Promise.resolve(bytes('const page = 4\n')) }), { capabilities: PULLS });
    await client.open(URI, MAIN);
    await client.open(COMMON, 'const pages = 4\n');
    assert.ok((await client.diagnostics(URI)).some(({ message }) => String(message).includes('page')));
    await client.change(COMMON, 2, [{ range: { start: { line: 0, character: 10 }, end: { line: 0, character: 11 } }, text: '' }]);
    assert.deepEqual(await client.diagnostics(URI), []);
    await client.close(COMMON);
    assert.deepEqual(await client.diagnostics(URI), []);
    await client.end();
  });

  it('outside the workspace, and in Restricted Mode what is loaded, are opened by nobody, until trust is given', async () => {
    const asked: string[] = [];
    const readFile: Runtime['readFile'] = (uri) => {
      asked.push(uri);
      return Promise.resolve(new Uint8Array(8));
    };
    const client = await threadClient(runtime({ readFile }), {
      capabilities: PULLS,
      initializationOptions: { trusted: false },
    });
    const load = (path: string): string => `  load "${path}" at 0x5000\n`;
    await client.open(
      URI,
      `vm guest {\n  slot 0 { gpa 0  size 16M }\n${load('/etc/passwd')}  vcpu { paging none } }\nrun guest { read 0x5000 }\n`,
    );
    assert.match(String((await client.diagnostics(URI))[0]?.message), /lies outside/);
    await client.change(URI, 2, [
      { text: `vm guest {\n  slot 0 { gpa 0  size 16M }\n${load('a.dump')}  vcpu { paging none } }\nrun guest { read 0x5000 }\n` },
    ]);
    assert.match(String((await client.diagnostics(URI))[0]?.message), /Restricted Mode/);
    assert.deepEqual(asked, []);
    await client.connection.sendNotification('mmu/trusted');
    assert.deepEqual(await client.diagnostics(URI), []);
    assert.deepEqual(asked, ['file:///scenarios/a.dump']);
    await client.end();
  });

  it('that take too long are told of, and others are answered meanwhile', async () => {
    const never = new Promise<never>(() => undefined);
    const client = await threadClient(runtime({ readFile: () => never }), { capabilities: PULLS });
    await client.open(URI, MAIN);
    const other = 'file:///scenarios/other.mmu';
    await client.open(other, 'const a = 1\nhost { memory a * 16M }\n');
    assert.deepEqual(await client.diagnostics(other), []);
    assert.ok((await client.diagnostics(URI)).some(({ message }) => String(message).includes('did not answer')));
    await client.end();
  });

  it('are asked of a client that reads them', async () => {
    const client = await threadClient(runtime(), { capabilities: PULLS, initializationOptions: { readFiles: true } });
    client.connection.onRequest('mmu/readFile', ({ uri }: { uri: string }) =>
      uri === COMMON ? { base64: Buffer.from('const page = 4\n').toString('base64') } : null,
    );
    await client.open(URI, MAIN);
    assert.deepEqual(await client.diagnostics(URI), []);
    await client.end();
  });
});

describe('an edited document', function () {
  this.timeout(60_000);
  let client: LspClient;
  let opened = 0;
  before(async () => {
    client = await threadClient(runtime(), { capabilities: PULLS });
  });
  after(() => client.end());

  const asked = async (uri: string): Promise<unknown> => {
    const textDocument = { uri };
    const answers = [
      await client.diagnostics(uri),
      await client.request('textDocument/documentSymbol', { textDocument }),
      await client.request('textDocument/foldingRange', { textDocument }),
      ((await client.request('textDocument/semanticTokens/full', { textDocument })) as { data: number[] }).data,
    ];
    return JSON.parse(JSON.stringify(answers).replaceAll(uri, 'URI'));
  };

  it('equals a freshly opened one', async () => {
    const piece = fc.constantFrom(
      '\n',
      '\r\n',
      '}',
      '{',
      'vm b { }',
      ' expect ok',
      '0x',
      '\u{1f600}',
      '// c\n',
      'run guest {',
      'const a = 1\n',
      'user read 0x40_1000\n',
      '',
      '"',
    );
    const edit = fc.record({ from: fc.double({ min: 0, max: 1, noNaN: true }), length: fc.nat(30), text: piece });
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 6 }), async (edits) => {
        const uri = `file:///scenarios/edited${++opened}.mmu`;
        let text = TextDocument.create(uri, 'mmu', 1, TEXT);
        await client.open(uri, TEXT);
        let version = 1;
        for (const { from, length, text: inserted } of edits) {
          const start = Math.floor(from * text.getText().length);
          const range = { start: text.positionAt(start), end: text.positionAt(start + length) };
          text = TextDocument.update(text, [{ range, text: inserted }], ++version);
          await client.change(uri, version, [{ range, text: inserted }]);
        }
        const edited = await asked(uri);
        await client.close(uri);
        await client.open(uri, text.getText(), version + 1);
        assert.deepEqual(edited, await asked(uri));
        await client.close(uri);
      }),
      { numRuns: 40 },
    );
  });
});
