import { strict as assert } from 'node:assert';
import type { Diagnostic, DocumentSymbol } from 'vscode-languageserver/node';
import type { LspClient } from '../support/lsp';
import { processClient, PULLS } from '../support/lsp';
import { MACHINE } from '../support/scripts';

const script = (body: string): string => `${MACHINE}run guest under ept {\n${body}\n}\n`;

interface Bad {
  readonly text: string;
  /** Line of a diagnostic that there must be; null: there must be none. */
  readonly line: number | null;
  readonly says?: RegExp;
}

const LINES = MACHINE.split('\n').length;

const INPUTS: { readonly [name: string]: () => Bad } = {
  'an empty file': () => ({ text: '', line: null }),
  'a binary file': () => ({ text: String.fromCharCode(...Array.from({ length: 5000 }, (_, i) => (i * 7919) % 256)), line: 0 }),
  'a file of 50 MB': () => ({ text: `${script('user read 0x40_0000')}${'// filling\n'.repeat(4_600_000)}`, line: 0 }),
  'braces 100,000 deep': () => ({ text: `vm guest ${'{'.repeat(100_000)}`, line: 0 }),
  'parentheses 100,000 deep': () => ({ text: `const a = ${'('.repeat(100_000)}1`, line: 0 }),
  'a slot of 2^63 bytes': () => ({
    text: 'vm guest {\n  slot 0 { gpa 0  size 0x8000_0000_0000_0000 }\n  vcpu { paging none }\n}\nrun guest { read 0 }\n',
    line: 1,
  }),
  'a loop of 10^9': () => ({ text: script('for i in 1 .. 1_000_000_000 {\n  user read 0x40_0000\n}'), line: LINES }),
  'loops of 10^9 in each other': () => ({
    text: script('for i in 1 .. 1_000_000_000 {\nfor j in 1 .. 1_000_000_000 {\n user read 0x40_0000\n}\n}'),
    line: LINES,
  }),
  'tables that point to themselves': () => ({
    text: 'vm guest {\n  slot 0 { gpa 0  size 16M }\n  word 0x1000 = 0x1007\n  vcpu { cr3 0x1000 }\n}\nrun guest under soft, ept, npt {\n  user read 0\n  user write 0x1000\n}\n',
    line: null,
  }),
  'a block that calls itself': () => ({ text: `block again() { again() }\n${script('again()')}`, line: 0 }),
  'a name defined twice': () => ({ text: 'const a = 1\nconst a = 2\n', line: 1, says: /twice/ }),
  'a file that imports itself': () => ({ text: 'import "bad.mmu"\n', line: 0 }),
  'a file that imports nothing': () => ({ text: '// one\nimport "nowhere.mmu"\n', line: 1 }),
};

describe('bad input to the server', function () {
  this.timeout(60_000);
  let client: LspClient;
  before(async () => {
    client = await processClient({ capabilities: PULLS });
  });
  after(() => client.end());

  const URI = 'file:///scenarios/bad.mmu';
  let version = 0;
  async function diagnosticsOf(text: string): Promise<Diagnostic[]> {
    await client.open(URI, text, ++version);
    const found = await client.diagnostics(URI);
    await client.close(URI);
    return found;
  }

  for (const [name, input] of Object.entries(INPUTS)) {
    it(`${name} is answered, and the server goes on`, async () => {
      const { text, line, says } = input();
      const found = (await diagnosticsOf(text)).filter(({ severity }) => severity !== 4);
      if (line === null)
        assert.deepEqual(found.filter(({ severity }) => severity === 1), []); // prettier-ignore
      else
        assert.ok(
          found.some(({ range, message }) => range.start.line === line && (!says || says.test(String(message)))),
          JSON.stringify(found.slice(0, 3)),
        );
      assert.deepEqual(await diagnosticsOf(script('user read 0x40_0000 expect ok')), []);
    });
  }

  it('ends of lines, tabs, a BOM and astral characters keep their places in UTF-16', async () => {
    for (const end of ['\n', '\r\n', '\r']) {
      const text = `\uFEFF// \u{1f600} faces${end}\tconst a = 1${end}/* \u{1f600}\u{1f600} */ const a = 2${end}`;
      const [{ range }] = (await diagnosticsOf(text)).filter(({ code }) => code === 'defined-twice');
      assert.deepEqual(range, { start: { line: 2, character: 17 }, end: { line: 2, character: 18 } }, JSON.stringify(end));
    }
  });

  it('every other request is answered too', async () => {
    const texts = [INPUTS['a binary file']().text, INPUTS['braces 100,000 deep']().text, 'run guest under { read expect #PF(', ''];
    for (const text of texts) {
      await client.open(URI, text, ++version);
      const textDocument = { uri: URI };
      const position = { line: 0, character: 5 };
      const range = { start: { line: 0, character: 0 }, end: { line: 9, character: 0 } };
      const options = { tabSize: 2, insertSpaces: true };
      await client.request<DocumentSymbol[]>('textDocument/documentSymbol', { textDocument });
      for (const each of ['hover', 'completion', 'definition', 'documentHighlight', 'prepareRename', 'signatureHelp']) {
        await client.at(`textDocument/${each}`, URI, position);
      }
      await client.request('textDocument/references', { textDocument, position, context: { includeDeclaration: true } });
      await client.request('textDocument/selectionRange', { textDocument, positions: [position] });
      for (const each of ['foldingRange', 'semanticTokens/full', 'codeLens', 'documentLink'])
        await client.request(`textDocument/${each}`, { textDocument });
      await client.request('textDocument/inlayHint', { textDocument, range });
      await client.request('textDocument/codeAction', { textDocument, range, context: { diagnostics: [] } });
      await client.request('textDocument/formatting', { textDocument, options });
      await client.close(URI);
    }
    assert.deepEqual(client.logs.filter((line) => line.includes('failed')), []); // prettier-ignore
  });
});
