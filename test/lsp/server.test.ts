import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { CodeLens, CompletionList, Hover, InlayHint, TextEdit } from 'vscode-languageserver/node';
import type { RunInfo, StepDetail, StepRow } from '../../server/src/protocol/messages';
import type { LspClient } from '../support/lsp';
import { processClient, PULLS } from '../support/lsp';
import { MACHINE } from '../support/scripts';

const SAMPLE = 'samples/first-touch.mmu';
const sampleUri = pathToFileURL(SAMPLE).href;
const sample = readFileSync(SAMPLE, 'utf8');
const URI = 'file:///scenarios/a.mmu';

function positionOf(text: string, word: string): { line: number; character: number } {
  const before = text.slice(0, text.indexOf(word)).split('\n');
  return { line: before.length - 1, character: before[before.length - 1].length };
}

describe('the server as a process', function () {
  this.timeout(60_000);
  let client: LspClient;
  beforeEach(async () => {
    client = await processClient({ capabilities: PULLS });
  });
  afterEach(() => client.process?.kill());

  it('says what it can do, and ends cleanly', async () => {
    const { capabilities, serverInfo } = client.result;
    assert.equal(serverInfo?.name, 'MMU Scenarios');
    for (const each of ['hoverProvider', 'inlayHintProvider', 'renameProvider', 'semanticTokensProvider', 'diagnosticProvider'] as const)
      assert.ok(capabilities[each], each);
    assert.equal(await client.end(), 0);
  });

  it('ends with status 1 when the client goes without goodbye', async () => {
    await client.connection.sendNotification('exit');
    assert.equal(await client.exitCode, 1);
  });

  it('shows the whole translation of an address', async () => {
    await client.open(sampleUri, sample);
    await client.until(client.runStates, ({ state }) => state === 'done');
    const found = await client.at<Hover>('textDocument/hover', sampleUri, positionOf(sample, '0x40_0123'));
    const { value } = found.contents as { value: string };
    for (const each of [/GVA 0x40_0123 → GPA 0x20_0123 → HVA 0x7f00_0020_0123/, /PML4\[0\]/, /PDPT\[0\]/, /PD\[2\]/, /\bPT\[0\]/])
      assert.match(value, each);
  });

  it('finds nothing wrong with the sample, and says what its statements came to', async () => {
    await client.open(sampleUri, sample);
    assert.deepEqual(await client.diagnostics(sampleUri), []);
    const range = { start: { line: 0, character: 0 }, end: { line: 100, character: 0 } };
    const hints = await client.request<InlayHint[]>('textDocument/inlayHint', { textDocument: { uri: sampleUri }, range });
    assert.ok(
      hints.some(({ label }) => /soft 1 exit \| ept, npt 5 exits/.test(String(label))),
      hints.map(({ label }) => label).join('\n'),
    );
    const lenses = await client.request<CodeLens[]>('textDocument/codeLens', { textDocument: { uri: sampleUri } });
    assert.ok(lenses.some(({ command }) => command?.title.startsWith('Show Trace')));
  });

  it('tells expectations that fail, and stops when they are mended', async () => {
    const bad = `${MACHINE}run guest under ept {\n  user read 0x40_0000  expect exits 4\n}\n`;
    await client.open(URI, bad);
    const [found] = await client.diagnosticsOfRun(URI, 1);
    assert.equal(found.code, 'expectation-failed');
    const { line } = found.range.start;
    await client.change(URI, 2, [{ range: { start: { line, character: 36 }, end: { line, character: 37 } }, text: '5' }]);
    assert.deepEqual(await client.diagnosticsOfRun(URI, 2), []);
  });

  it('gives a run up when the text is edited', async () => {
    const long = `budget { steps 1_000_000_000  events 50_000_000 }\n${MACHINE}run guest under ept {\n  user read 0x40_0000 x 1_000_000_000\n}\n`;
    await client.open(URI, long);
    await client.until(client.runStates, ({ version, state }) => version === 1 && state === 'running');
    await client.change(URI, 2, [{ text: `${MACHINE}run guest under ept {\n  user read 0x40_0000\n}\n` }]);
    const done = await client.until(client.runStates, ({ state }) => state !== 'running');
    assert.deepEqual([done.version, done.state], [2, 'done']);
    assert.equal(done.runs[0].ended, 'done');
  });

  it('runs on request, up to a line too, and gives the trace by ranges', async () => {
    await client.open(sampleUri, sample);
    const runs = await client.request<RunInfo[]>('mmu/run', { uri: sampleUri });
    assert.deepEqual(runs.map(({ name }) => name.replace(/.* /, '')), ['soft', 'ept', 'npt']); // prettier-ignore
    const { runId, steps } = runs[1];
    const page = await client.request<{ rows: StepRow[]; total: number }>('mmu/steps', { runId, from: 10, count: 5 });
    assert.deepEqual([page.rows.map(({ step }) => step), page.total], [[10, 11, 12, 13, 14], steps]);
    const exits = await client.request<{ rows: StepRow[]; total: number }>('mmu/steps', {
      runId,
      from: 0,
      count: 100,
      filter: { kinds: ['exit'] },
    });
    assert.ok(exits.total > 0 && exits.rows.every(({ kind }) => kind === 'exit'));
    const { step: second } = exits.rows[1];
    const place = await client.request('mmu/position', { runId, step: second, filter: { kinds: ['exit'] } });
    assert.deepEqual(place, { position: 1, step: second });
    const totals = await client.request<{ id: string; exits: number }[]>('mmu/totals', { runId });
    assert.deepEqual([totals[0].id, totals[0].exits], ['run', exits.total]);
    const beside = await client.request<{ runs: { short: string }[] }>('mmu/compare', { runId, with: runs[0].runId });
    assert.deepEqual(beside.runs.map(({ short }) => short), ['ept', 'soft']); // prettier-ignore
    assert.equal(await client.request('mmu/compare', { runId, with: null }), null, 'nothing was changed yet');
    assert.match(await client.request<string>('mmu/report', { runId, line: null }), /^<!DOCTYPE html>/);
    const { line } = positionOf(sample, 'user write 0x7fff_f008');
    const step = await client.request<number>('mmu/stepAtLine', { runId, line });
    const detail = await client.request<StepDetail>('mmu/step', { runId, step });
    assert.equal(detail.row.line, line);
    const [, partly] = await client.request<RunInfo[]>('mmu/run', { uri: sampleUri, line });
    assert.equal(partly.until, line);
    assert.ok(partly.steps < steps);
    assert.equal(await client.request('mmu/steps', { runId, from: 0, count: 1 }), null, 'the old run is no more');
    const way = await client.request<{ markdown: string }>('mmu/translate', { uri: sampleUri, ...positionOf(sample, '0x40_0123') });
    assert.match(way.markdown, /GPA `0x20_0123`/);
  });

  it('keeps what was run while the text has errors, as of an older text and where it stands by now', async () => {
    const run = 'run guest under ept {\n  user read 0x40_0000\n  user read 0x40_1000\n  user read 0x40_2000\n}\n';
    const first = MACHINE.split('\n').length;
    const range = { start: { line: 0, character: 0 }, end: { line: 100, character: 0 } };
    const hints = async () => {
      const found = await client.request<InlayHint[]>('textDocument/inlayHint', { textDocument: { uri: URI }, range });
      return found.map(({ position, label }) => `${position.line - first}:${position.character} ${String(label).replace(/hpa.*/, '')}`);
    };
    const lenses = async () => {
      const found = await client.request<CodeLens[]>('textDocument/codeLens', { textDocument: { uri: URI } });
      return found.map(({ range: { start }, command }) => `${start.line - first}: ${command!.title.replace(/\(.*\)/, '(…)')}`);
    };
    await client.open(URI, MACHINE + run);
    assert.deepEqual(await hints(), ['0:21 → ', '1:21 → ', '2:21 → ']);
    const { runs } = await client.until(client.runStates, ({ state }) => state === 'done');
    const [{ runId }] = runs;
    // A line above, and a typo in the middle statement.
    await client.change(URI, 2, [
      { range: { start: { line: first + 1, character: 12 }, end: { line: first + 1, character: 12 } }, text: '(' },
      { range: { start: { line: first - 1, character: 0 }, end: { line: first - 1, character: 0 } }, text: '// one more\n' },
    ]);
    const { runs: older } = await client.until(client.runStates, ({ version, state }) => version === 2 && state === 'done');
    assert.deepEqual(older.map((each) => [each.runId, each.older, each.version]), [[runId, true, 1]]); // prettier-ignore
    assert.deepEqual(await hints(), ['1:21 (older) → ', '3:21 (older) → ']);
    assert.deepEqual(await lenses(), ['0: ▶ Run', '0: Show Trace (…), of an older text']);
    assert.deepEqual(await client.request('mmu/run', { uri: URI }), [], 'nothing is run');
    assert.deepEqual((await client.request<RunInfo[]>('mmu/runs', { uri: URI })).map((each) => each.older), [true]); // prettier-ignore
    const step = await client.request<number>('mmu/stepAtLine', { runId, line: first + 3 });
    const detail = await client.request<StepDetail>('mmu/step', { runId, step });
    assert.deepEqual([detail.row.text, detail.row.line], ['user read 0x40_2000', first + 3]);
    // Mended, it is run again.
    await client.change(URI, 3, [
      { range: { start: { line: first + 2, character: 12 }, end: { line: first + 2, character: 13 } }, text: '' },
    ]);
    const { runs: newer } = await client.until(client.runStates, ({ version, state }) => version === 3 && state === 'done');
    assert.deepEqual(newer.map((each) => each.older), [false]); // prettier-ignore
    assert.deepEqual(await hints(), ['1:21 → ', '2:21 → ', '3:21 → ']);
  });

  it('completes, formats and renames', async () => {
    const text = 'host {   memory 64M }\nvm guest { slot 0 { gpa 0 size 16M }\n vcpu { } }\n';
    await client.open(URI, text);
    const list = await client.at<CompletionList>('textDocument/completion', URI, { line: 0, character: 9 });
    assert.ok(list.items.some(({ label }) => label === 'tlb'));
    const edits = await client.request<TextEdit[]>('textDocument/formatting', {
      textDocument: { uri: URI },
      options: { tabSize: 2, insertSpaces: true },
    });
    assert.ok(edits.length > 0);
    await assert.rejects(
      client.request('textDocument/rename', { textDocument: { uri: URI }, position: { line: 1, character: 4 }, newName: 'run' }),
      /word of the language/,
    );
  });

  it('answers nothing about documents that are not open', async () => {
    assert.equal(await client.at('textDocument/hover', 'file:///no.mmu', { line: 0, character: 0 }), null);
    assert.deepEqual(await client.diagnostics('file:///no.mmu'), []);
    assert.deepEqual(await client.request('mmu/run', { uri: 'file:///no.mmu' }), []);
  });
});

describe('the server and a client that is sent its diagnostics', function () {
  this.timeout(60_000);

  it('sends them with the version, and takes them back at the end', async () => {
    const client = await processClient();
    assert.equal(client.result.capabilities.diagnosticProvider, undefined);
    await client.open(URI, 'vm guest {', 7);
    const first = await client.until(client.published, ({ version }) => version === 7);
    assert.ok(first.diagnostics.length > 0 && first.diagnostics.every(({ code }) => code));
    await client.change(URI, 8, [{ text: 'const used = 4K\nhost { memory used * 1K }\n' }]);
    const second = await client.until(client.published, ({ version }) => version === 8);
    assert.deepEqual(second.diagnostics, []);
    await client.close(URI);
    await client.until(client.published, ({ version }) => version === undefined);
    assert.equal(await client.end(), 0);
  });
});

describe('the server and its settings', function () {
  this.timeout(60_000);
  const text = `${MACHINE}run guest under ept {\n  user read 0x40_0000\n}\n`;
  const range = { start: { line: 0, character: 0 }, end: { line: 100, character: 0 } };
  const hints = (client: LspClient): Promise<InlayHint[]> =>
    client.request('textDocument/inlayHint', { textDocument: { uri: URI }, range });

  it('leaves out what is switched off', async () => {
    const client = await processClient({ capabilities: PULLS, settings: { inlayHints: { exits: false }, codeLens: { enabled: false } } });
    await client.open(URI, text);
    assert.match(String((await hints(client))[0].label), /^→ hpa 0x[0-9a-f_]+$/);
    assert.deepEqual(await client.request('textDocument/codeLens', { textDocument: { uri: URI } }), []);
    await client.end();
  });

  it('runs nothing by itself when the user runs', async () => {
    const client = await processClient({ capabilities: PULLS, settings: { run: { when: 'manual' } } });
    await client.open(URI, text);
    assert.deepEqual(await hints(client), []);
    assert.equal((await client.request<RunInfo[]>('mmu/run', { uri: URI })).length, 1);
    assert.equal((await hints(client)).length, 1);
    await client.change(URI, 2, [{ text: `${text}\n` }]);
    assert.deepEqual(
      (await hints(client)).map(({ label }) => String(label).slice(0, 7)),
      ['(older)'],
      'what is shown is of this text or says so',
    );
    await client.end();
  });

  it('ends a run that takes too long, and says so', async () => {
    const client = await processClient({ capabilities: PULLS, settings: { run: { timeLimit: 0.2 } } });
    await client.open(
      URI,
      `budget { steps 1_000_000_000  events 50_000_000 }\n${text.replace('read 0x40_0000', 'read 0x40_0000 x 1_000_000_000')}`,
    );
    const found = await client.diagnosticsOfRun(URI, 1);
    assert.ok(
      found.some(({ code, message }) => code === 'budget-exceeded' && String(message).includes('0.2 s')),
      JSON.stringify(found),
    );
    await client.end();
  });
});
