import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { activated, at, closeAll, errorsOf, eventually, EXTENSION, opened, SCENARIO, traceTabs, untitled } from './support';

const COMMANDS = ['mmu.run', 'mmu.runToCursor', 'mmu.showTrace', 'mmu.showTranslation', 'mmu.exportReport', 'mmu.restartServer'];

describe('the extension', () => {
  afterEach(closeAll);

  it('is activated by opening a scenario, and by nothing sooner', async () => {
    const { activationEvents = [] } = vscode.extensions.getExtension(EXTENSION)!.packageJSON as { activationEvents?: string[] };
    assert.ok(!activationEvents.includes('*'));
    const document = await opened('first-touch.mmu');
    assert.equal(document.languageId, 'mmu');
    await eventually('activation', () => vscode.extensions.getExtension(EXTENSION)!.isActive);
  });

  it('has its commands, each with a title', async () => {
    await activated();
    const known = await vscode.commands.getCommands(true);
    const { contributes } = vscode.extensions.getExtension(EXTENSION)!.packageJSON as {
      contributes: { commands: { command: string; title: string; category: string }[] };
    };
    for (const command of COMMANDS) {
      assert.ok(known.includes(command), `no ${command}`);
      const declared = contributes.commands.find((each) => each.command === command);
      assert.ok(declared?.title && declared.category === 'MMU', `${command} has no title`);
    }
  });

  it('runs the first sample without an error', async () => {
    const document = await opened('first-touch.mmu');
    const runs = await vscode.commands.executeCommand<{ name: string; failed: number; ended: string }[]>('mmu.run');
    assert.deepEqual(
      runs.map(({ name, failed, ended }) => `${name}: ${failed} failed, ${ended}`),
      ['soft', 'ept', 'npt'].map((kind) => `guest under ${kind}: 0 failed, done`),
    );
    assert.deepEqual(errorsOf(document), []);
  });

  it('opens one trace panel a scenario, beside it', async () => {
    await opened('first-touch.mmu');
    await vscode.commands.executeCommand('mmu.showTrace');
    const [tab] = await eventually('trace panel', traceTabs);
    assert.equal(tab.label, 'Trace: first-touch.mmu');
    await vscode.commands.executeCommand('mmu.showTrace');
    assert.equal(traceTabs().length, 1);
  });

  it('shows the trace of the run that a code lens names', async () => {
    const document = await opened('first-touch.mmu');
    await vscode.commands.executeCommand('mmu.showTrace', document.uri.toString(), 1);
    await eventually('trace panel', traceTabs);
  });

  it('saves a report of the runs', async function () {
    const document = await opened('first-touch.mmu');
    // A browser's workspace can only be read.
    if (document.uri.scheme !== 'file') this.skip();
    const to = vscode.Uri.joinPath(document.uri, '..', 'report-of-a-test.html');
    try {
      const saved = await vscode.commands.executeCommand<vscode.Uri | null>('mmu.exportReport', document.uri, to);
      assert.equal(saved?.toString(), to.toString());
      const page = new TextDecoder().decode(await vscode.workspace.fs.readFile(to));
      assert.ok(/^<!DOCTYPE html>[\s\S]*<h1>first-touch\.mmu<\/h1>[\s\S]*<figure>/.test(page));
    } finally {
      await vscode.workspace.fs.delete(to);
    }
  });

  it('runs to the cursor and shows the trace there', async () => {
    const document = await untitled(SCENARIO);
    const position = at(document, 'user write');
    vscode.window.activeTextEditor!.selection = new vscode.Selection(position, position);
    await vscode.commands.executeCommand('mmu.runToCursor');
    await eventually('trace panel', traceTabs);
  });

  it('shows the translation of the address at the cursor', async () => {
    const document = await untitled(SCENARIO);
    const position = at(document, '0x40_0123');
    vscode.window.activeTextEditor!.selection = new vscode.Selection(position, position);
    await vscode.commands.executeCommand('mmu.showTranslation');
    await eventually('trace panel', traceTabs);
  });

  it('restarts its language server, which then works on', async () => {
    const document = await untitled(SCENARIO.replace('cr3 kernel', 'cr3 kernal'));
    await eventually('error', () => errorsOf(document));
    await vscode.commands.executeCommand('mmu.restartServer');
    await eventually('error after the restart', () => errorsOf(document));
    const symbols = await eventually('outline after the restart', () =>
      vscode.commands.executeCommand<vscode.DocumentSymbol[]>('vscode.executeDocumentSymbolProvider', document.uri),
    );
    assert.ok(symbols.length > 0);
  });

  it('takes no harm from commands without a scenario', async () => {
    await activated();
    await closeAll();
    for (const command of ['mmu.run', 'mmu.runToCursor', 'mmu.showTrace', 'mmu.showTranslation'])
      await vscode.commands.executeCommand(command);
    assert.equal(traceTabs().length, 0);
  });
});
