import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { at, closeAll, errorsOf, eventually, SCENARIO, untitled } from './support';

const text = (content: vscode.MarkdownString | vscode.MarkedString) => (typeof content === 'string' ? content : content.value);

describe('a scenario in the editor', () => {
  afterEach(closeAll);

  it('has the language', async () => {
    assert.equal((await untitled(SCENARIO)).languageId, 'mmu');
  });

  it('has an error at its place, and none when that is mended', async () => {
    const document = await untitled(SCENARIO.replace('cr3 kernel', 'cr3 kernal'));
    const [error] = await eventually('error', () => errorsOf(document));
    assert.ok(error.range.contains(at(document, 'kernal')), `the error is at line ${error.range.start.line + 1}`);
    assert.ok(error.code, 'the error has no code');
    const edit = new vscode.WorkspaceEdit();
    const start = at(document, 'kernal').translate(0, -3);
    edit.replace(document.uri, new vscode.Range(start, start.translate(0, 6)), 'kernel');
    await vscode.workspace.applyEdit(edit);
    await eventually('end of the error', () => errorsOf(document).length === 0);
  });

  it('has a failed expectation as a diagnostic', async () => {
    const document = await untitled(SCENARIO.replace('user write 0x40_0456  expect ok', 'user write 0x40_0456  expect #PF'));
    const [found] = await eventually('failed expectation', () =>
      vscode.languages.getDiagnostics(document.uri).filter(({ range }) => range.contains(at(document, '#PF'))),
    );
    assert.ok(found.message.length > 0);
  });

  it('shows the whole way of an address on hover', async () => {
    const document = await untitled(SCENARIO);
    const position = at(document, '0x40_0123');
    const shown = await eventually('translation', async () => {
      const hovers = await vscode.commands.executeCommand<vscode.Hover[]>('vscode.executeHoverProvider', document.uri, position);
      const all = hovers.flatMap(({ contents }) => contents.map(text)).join('\n');
      return /hpa/i.test(all) ? all : null;
    });
    for (const part of ['PML4', 'PDPT', 'PD', 'PT', '0x20_0123', 'slot 0', '0x7f00_0020_0123'])
      assert.ok(shown.includes(part), `no ${part} in\n${shown}`);
  });

  it('shows what each statement came to', async () => {
    const document = await untitled(SCENARIO);
    const whole = new vscode.Range(0, 0, document.lineCount, 0);
    const hints = await eventually('outcomes', async () => {
      const all = await vscode.commands.executeCommand<vscode.InlayHint[]>('vscode.executeInlayHintProvider', document.uri, whole);
      return all.some(({ position }) => position.line === at(document, 'user read').line) ? all : null;
    });
    const labels = hints.map(({ label }) => (typeof label === 'string' ? label : label.map(({ value }) => value).join('')));
    assert.ok(
      labels.some((label) => /hpa 0x/.test(label)),
      labels.join('; '),
    );
  });

  it('completes by context', async () => {
    const document = await untitled(SCENARIO.replace('mmu ept', 'mmu '));
    const position = at(document, 'mmu ').translate(0, 2);
    const items = await eventually('completion', async () => {
      const list = await vscode.commands.executeCommand<vscode.CompletionList>(
        'vscode.executeCompletionItemProvider',
        document.uri,
        position,
      );
      // Words of open documents are offered as well; they would hide that nothing else is.
      return list.items
        .filter(({ kind }) => kind !== vscode.CompletionItemKind.Text)
        .map(({ label }) => (typeof label === 'string' ? label : label.label));
    });
    for (const kind of ['soft', 'ept', 'npt']) assert.ok(items.includes(kind), `no ${kind} among ${items.join(', ')}`);
  });

  it('renames a name everywhere', async () => {
    const document = await untitled(SCENARIO);
    const edit = await eventually('rename', () =>
      vscode.commands.executeCommand<vscode.WorkspaceEdit>(
        'vscode.executeDocumentRenameProvider',
        document.uri,
        at(document, 'kernel', 1),
        'lower',
      ),
    );
    await vscode.workspace.applyEdit(edit);
    assert.ok(document.getText().includes('tables lower at') && document.getText().includes('cr3 lower'));
    assert.ok(!document.getText().includes('kernel'));
  });

  it('goes to a definition and finds its references', async () => {
    const document = await untitled(SCENARIO);
    const [target] = await eventually('definition', () =>
      vscode.commands.executeCommand<(vscode.Location | vscode.LocationLink)[]>(
        'vscode.executeDefinitionProvider',
        document.uri,
        at(document, 'kernel', 1),
      ),
    );
    const range = 'targetRange' in target ? target.targetRange : target.range;
    assert.ok(range.contains(at(document, 'kernel', 0)));
    const references = await vscode.commands.executeCommand<vscode.Location[]>(
      'vscode.executeReferenceProvider',
      document.uri,
      at(document, 'kernel', 0),
    );
    assert.equal(references.length, 2);
  });

  it('is formatted, and formatting it again changes nothing', async () => {
    const document = await untitled(SCENARIO.replace('vcpu { cr3 kernel }', 'vcpu   {cr3    kernel}'));
    const format = () =>
      vscode.commands.executeCommand<vscode.TextEdit[] | undefined>('vscode.executeFormatDocumentProvider', document.uri, {
        tabSize: 2,
        insertSpaces: true,
      });
    const edits = await eventually('formatting', format);
    const edit = new vscode.WorkspaceEdit();
    edit.set(document.uri, edits);
    await vscode.workspace.applyEdit(edit);
    assert.ok(document.getText().includes('vcpu { cr3 kernel }'), document.getText());
    assert.equal((await format())?.length ?? 0, 0);
  });

  it('has an outline, foldings, code lenses and coloured words', async () => {
    const document = await untitled(SCENARIO);
    const symbols = await eventually('outline', () =>
      vscode.commands.executeCommand<vscode.DocumentSymbol[]>('vscode.executeDocumentSymbolProvider', document.uri),
    );
    assert.ok(
      symbols.some(({ name }) => name.includes('guest')),
      symbols.map(({ name }) => name).join(', '),
    );
    const folds = await eventually('foldings', () =>
      vscode.commands.executeCommand<vscode.FoldingRange[]>('vscode.executeFoldingRangeProvider', document.uri),
    );
    assert.ok(folds.some(({ start }) => start === at(document, 'vm guest').line));
    const lenses = await eventually('code lenses', () =>
      vscode.commands.executeCommand<vscode.CodeLens[]>('vscode.executeCodeLensProvider', document.uri, 10),
    );
    assert.ok(lenses.some(({ command }) => command?.command === 'mmu.run'));
    const tokens = await eventually('tokens', () =>
      vscode.commands.executeCommand<vscode.SemanticTokens>('vscode.provideDocumentSemanticTokens', document.uri),
    );
    assert.ok(tokens.data.length > 50);
  });
});
