import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { activated, at, closeAll, errorsOf, eventually, EXTENSION, opened, traceTabs, untitled } from './support';

interface Contents {
  readonly templates: readonly { readonly path: string }[];
  readonly samples: readonly { readonly path: string }[];
}

async function contents(): Promise<Contents> {
  const uri = vscode.Uri.joinPath(vscode.extensions.getExtension(EXTENSION)!.extensionUri, 'dist', 'contents.json');
  return JSON.parse(new TextDecoder().decode(await vscode.workspace.fs.readFile(uri))) as Contents;
}

const active = () => vscode.window.activeTextEditor?.document;

describe('first contact', () => {
  afterEach(closeAll);

  it('makes a document of each template, which runs as it says', async () => {
    await activated();
    for (const { path } of (await contents()).templates) {
      await vscode.commands.executeCommand('mmu.newScenario', undefined, path);
      const document = await eventually(path, () => (active()?.isUntitled && active()!.getText().length > 100 ? active() : null));
      assert.equal(document.languageId, 'mmu');
      const runs = await vscode.commands.executeCommand<{ failed: number; ended: string }[]>('mmu.run');
      assert.ok(runs.length > 0, path);
      for (const { failed, ended } of runs) assert.deepEqual({ failed, ended }, { failed: 0, ended: 'done' }, path);
      assert.deepEqual(errorsOf(document), []);
      await closeAll();
    }
  });

  it('puts a template into an empty document, and into no other', async () => {
    const { templates } = await (await activated(), contents());
    const empty = await untitled('');
    await vscode.commands.executeCommand('mmu.newScenario', empty.uri.toString(), templates[0].path);
    assert.ok(empty.getText().includes('run guest'));
    const before = empty.getText();
    await vscode.commands.executeCommand('mmu.newScenario', empty.uri.toString(), templates[1].path);
    assert.equal(empty.getText(), before);
    assert.ok(active()?.uri.toString() !== empty.uri.toString());
  });

  it('opens samples to be read, with all that the editor says of a scenario', async () => {
    await activated();
    await vscode.commands.executeCommand('mmu.openSamples', 'answers/first-touch-costs.mmu');
    const document = await eventually('the sample', () => (active()?.uri.scheme === 'mmu-sample' ? active() : null));
    assert.equal(document.languageId, 'mmu');
    const before = document.getText();
    await vscode.window.activeTextEditor!.edit((edit) => edit.insert(new vscode.Position(0, 0), 'x')).then(undefined, () => undefined);
    assert.equal(document.getText(), before);
    const lenses = await eventually('lenses', () => vscode.commands.executeCommand<vscode.CodeLens[]>('vscode.executeCodeLensProvider', document.uri)); // prettier-ignore
    assert.ok(lenses.length > 0);
  });

  it('carries every sample of the workspace', async () => {
    await activated();
    const here = (await vscode.workspace.findFiles('**/*.mmu')).map((uri) => vscode.workspace.asRelativePath(uri, false)).sort();
    const carried = (await contents()).samples.map(({ path }) => path.slice('samples/'.length)).sort();
    assert.deepEqual(carried, here);
  });

  it('runs on F5 and shows the trace, without a session or a question', async () => {
    const document = await opened('first-touch.mmu');
    const sessions: string[] = [];
    const listening = vscode.debug.onDidStartDebugSession(({ type }) => sessions.push(type));
    const position = at(document, 'user read');
    vscode.window.activeTextEditor!.selection = new vscode.Selection(position, position);
    await vscode.commands.executeCommand('workbench.action.debug.start');
    await eventually('trace panel', traceTabs);
    listening.dispose();
    assert.deepEqual(sessions, []);
  });

  it('greets in an empty document, by a hint and by lenses', async () => {
    const document = await untitled('');
    const whole = new vscode.Range(0, 0, 1, 0);
    const hints = await eventually('hints', () => vscode.commands.executeCommand<vscode.InlayHint[]>('vscode.executeInlayHintProvider', document.uri, whole)); // prettier-ignore
    assert.ok(/type scenario/.test(String(hints[0].label)), String(hints[0].label));
    const lenses = await eventually('lenses', () => vscode.commands.executeCommand<vscode.CodeLens[]>('vscode.executeCodeLensProvider', document.uri)); // prettier-ignore
    assert.deepEqual(lenses.map(({ command }) => command?.command), ['mmu.newScenario', 'mmu.openSamples']); // prettier-ignore
  });

  it('has a walkthrough of five steps, each with a picture of the package and with commands that there are', async () => {
    await activated();
    const { extensionUri, packageJSON } = vscode.extensions.getExtension(EXTENSION)!;
    const [walkthrough] = (
      packageJSON as { contributes: { walkthroughs: { steps: { description: string; media: { image: string } }[] }[] } }
    ).contributes.walkthroughs;
    const known = await vscode.commands.getCommands(true);
    assert.equal(walkthrough.steps.length, 5);
    for (const { description, media } of walkthrough.steps) {
      const picture = await vscode.workspace.fs.readFile(vscode.Uri.joinPath(extensionUri, ...media.image.split('/')));
      assert.ok(picture.length > 1000, media.image);
      const commands = [...description.matchAll(/\(command:([\w.]+)/g)].map(([, command]) => command);
      assert.ok(commands.length > 0);
      for (const command of commands) assert.ok(known.includes(command), command);
    }
  });
});
