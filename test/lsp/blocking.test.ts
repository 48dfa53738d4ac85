import { strict as assert } from 'node:assert';
import type { Diagnostic, DocumentSymbol, Hover } from 'vscode-languageserver/node';
import type { RunInfo } from '../../server/src/protocol/messages';
import { HEAVY_TEXTS } from '../support/heavy';
import type { LspClient } from '../support/lsp';
import { processClient, REFRESHES } from '../support/lsp';
import { MACHINE } from '../support/scripts';

const HEAVY = 'file:///scenarios/heavy.mmu';
const SMALL = 'file:///scenarios/small.mmu';
const SCRIPT = `${MACHINE}run guest under ept {\n  user read 0x40_0000  expect hpa 7\n}\n`;

describe('a scenario that is much work', function () {
  this.timeout(120_000);

  for (const [name, text] of Object.entries(HEAVY_TEXTS)) {
    it(`keeps no other document waiting: ${name}`, async () => {
      const client = await processClient({ capabilities: REFRESHES, settings: { run: { delay: 0, timeLimit: 60 } } });
      await client.open(HEAVY, text);
      // The worker is at it, or has done it; questions of the other document are answered before the next result of this one.
      await client.change(HEAVY, 2, [{ text: `// edited\n${text}` }]);
      const order: string[] = [];
      const heavy = client.until(client.runStates, ({ uri, version, state }) => uri === HEAVY && version === 2 && state !== 'running');
      void heavy.then(() => order.push('heavy'));
      await client.open(SMALL, SCRIPT);
      await client.until(client.runStates, ({ uri, state }) => uri === SMALL && state === 'done');
      const symbols = await client.request<DocumentSymbol[]>('textDocument/documentSymbol', { textDocument: { uri: SMALL } });
      assert.ok(symbols.length > 0);
      const found = await client.at<Hover>('textDocument/hover', SMALL, { line: MACHINE.split('\n').length, character: 14 });
      assert.match(JSON.stringify(found.contents), /GPA/);
      assert.deepEqual((await client.diagnostics(SMALL)).map(({ code }) => code), ['expectation-failed']); // prettier-ignore
      order.push('small');
      if (name === 'an access repeated a billion times') assert.deepEqual(order, ['small']);
      await client.request('shutdown', undefined);
      client.process?.kill();
    });
  }

  it('is given up by the next edit, while it is unrolled too', async () => {
    const client = await processClient({ capabilities: REFRESHES, settings: { run: { delay: 0, timeLimit: 600 } } });
    await client.open(HEAVY, HEAVY_TEXTS['many runs']);
    await client.until(client.runStates, ({ state }) => state === 'running');
    await client.change(HEAVY, 2, [{ text: SCRIPT }]);
    const done = await client.until(client.runStates, ({ version, state }) => version === 2 && state === 'done');
    assert.deepEqual(done.runs.map(({ ended }) => ended), ['done']); // prettier-ignore
    await client.end();
  });
});

describe('diagnostics of machines, scripts and runs', function () {
  this.timeout(60_000);
  const SLOT = 'slot 1 { gpa 0  size 1M }';
  const text = (before: string, expectation: string): string =>
    `${before}${MACHINE.replace('  tables', `  ${SLOT}\n  tables`)}run guest under ept {\n  user read 0x40_0000  expect ${expectation}\n}\n`;
  const WRONG_RUN = `${MACHINE}run guest under ept {\n  user read 0x40_0000  expect hpa 7\n}\n`;
  const shown = (diagnostics: readonly Diagnostic[]): string[] => diagnostics.map(({ code, range }) => `${range.start.line} ${code}`);

  /** What a client was sent until a run of the last version has ended. */
  async function published(client: LspClient, version: number): Promise<string[]> {
    await client.until(client.runStates, (each) => each.version === version && each.state === 'done');
    await client.until(client.published, (each) => each.version === version);
    return client.published.map(({ diagnostics }) => shown(diagnostics).join(', '));
  }

  it('stay and move while the text is edited, and none is told twice', async () => {
    const client = await processClient({ settings: { run: { delay: 20 } } });
    await client.open(SMALL, WRONG_RUN);
    await client.until(client.published, ({ diagnostics }) => diagnostics.length > 0);
    const before = client.published.length;
    const line = MACHINE.split('\n').length;
    for (let version = 2; version < 8; version++) {
      await client.change(SMALL, version, [{ range: { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } }, text: '\n' }]);
      await client.until(client.published, (each) => each.version === version);
    }
    const all = await published(client, 7);
    const failed = client.published.slice(before).map(({ version, diagnostics }) => [shown(diagnostics), version! - 1 + line] as const);
    for (const [codes, expected] of failed) assert.deepEqual(codes, [`${expected} expectation-failed`], all.join(' | '));
    await client.end();
  });

  it('stay while the text has an error for a moment', async () => {
    const client = await processClient({ settings: { run: { delay: 0 } } });
    await client.open(SMALL, WRONG_RUN);
    await client.until(client.published, ({ diagnostics }) => diagnostics.length > 0);
    const end = { line: MACHINE.split('\n').length, character: 0 };
    await client.change(SMALL, 2, [{ range: { start: end, end }, text: '  user read\n' }]);
    await client.until(client.runStates, ({ version, state }) => version === 2 && state === 'done');
    await client.change(SMALL, 3, [{ range: { start: end, end: { ...end, line: end.line + 1 } }, text: '' }]);
    await client.until(client.runStates, ({ version, state }) => version === 3 && state === 'done');
    await client.until(client.published, ({ version }) => version === 3);
    const from = client.published.findIndex(({ diagnostics }) => diagnostics.length > 0);
    for (const { diagnostics } of client.published.slice(from)) {
      assert.equal(diagnostics.filter(({ code }) => code === 'expectation-failed').length, 1);
    }
    await client.end();
  });

  it('come when nothing is run by itself, too', async () => {
    const client = await processClient({ capabilities: REFRESHES, settings: { run: { when: 'manual', delay: 0 } } });
    let refreshes = 0;
    const refreshed = new Promise<void>((resolve) =>
      client.connection.onRequest('workspace/diagnostic/refresh', () => (++refreshes && resolve(), null)),
    );
    await client.open(SMALL, text('', 'hpa 7'));
    await refreshed;
    const [found, ...more] = await client.diagnostics(SMALL);
    assert.deepEqual([found.code, more], ['slot-overlap', []]);
    const actions = await client.request<unknown[]>('textDocument/codeAction', {
      textDocument: { uri: SMALL },
      range: found.range,
      context: { diagnostics: [found] },
    });
    assert.ok(Array.isArray(actions));
    assert.deepEqual(client.runStates, []);
    assert.deepEqual((await client.request<RunInfo[]>('mmu/run', { uri: SMALL })).length, 0);
    await client.end();
  });
});
