/** `MMU: Open Samples`: one to read, as it is in the package, or all of them copied to a folder; nothing is overwritten. */
import * as vscode from 'vscode';
import type { Carried, Contents } from '../../contents';
import { LANGUAGE } from '../../scenario';
import { messageOf } from '../../messages';

/** Documents of this scheme are samples as the package has them, to be read. */
const SCHEME = 'mmu-sample';
const FOLDER = 'mmu-samples';

export function activateSamples(context: vscode.ExtensionContext, carried: Carried): void {
  context.subscriptions.push(
    vscode.workspace.registerTextDocumentContentProvider(SCHEME, {
      provideTextDocumentContent: ({ path }) => carried.text(`samples${path}`),
    }),
    vscode.commands.registerCommand('mmu.openSamples', async (given?: unknown) => {
      const contents = await carried.contents();
      const named = typeof given === 'string' ? contents.samples.find(({ path }) => path === `samples/${given}`) : undefined;
      if (named) return openSample(named.path);
      const chosen = await choose(contents);
      if (chosen === COPY) await copyAll(carried, contents);
      else if (chosen) await openSample(chosen);
    }),
    vscode.commands.registerCommand('mmu.openTutorial', () => preview(carried, 'docs/tutorial.md')),
    vscode.commands.registerCommand('mmu.openReference', () => preview(carried, 'docs/language.md')),
  );
}

const COPY = Symbol('copy');

interface Item extends vscode.QuickPickItem {
  readonly chosen?: string | typeof COPY;
}

async function choose({ samples }: Contents): Promise<string | typeof COPY | undefined> {
  const items: Item[] = [{ label: '$(folder) Copy all to a folder…', chosen: COPY, alwaysShow: true }];
  let last = '';
  for (const { path, title } of samples) {
    const name = path.slice('samples/'.length);
    const folder = name.includes('/') ? name.slice(0, name.lastIndexOf('/')) : 'lessons';
    if (folder !== last) items.push({ label: folder, kind: vscode.QuickPickItemKind.Separator });
    last = folder;
    items.push({ label: title, description: name, chosen: path });
  }
  const chosen = await vscode.window.showQuickPick(items, {
    title: 'Samples',
    placeHolder: 'A lesson or a question, to be read; a copy can be changed',
    matchOnDescription: true,
  });
  return chosen?.chosen;
}

async function openSample(path: string): Promise<void> {
  const uri = vscode.Uri.from({ scheme: SCHEME, path: path.slice('samples'.length) });
  const document = await vscode.workspace.openTextDocument(uri);
  await vscode.languages.setTextDocumentLanguage(document, LANGUAGE);
  await vscode.window.showTextDocument(document, { preview: false });
}

async function copyAll(carried: Carried, contents: Contents): Promise<void> {
  const [parent] =
    (await vscode.window.showOpenDialog({
      canSelectFiles: false,
      canSelectFolders: true,
      openLabel: 'Copy Samples Here',
      defaultUri: vscode.workspace.workspaceFolders?.[0]?.uri,
    })) ?? [];
  if (!parent) return;
  try {
    const folder = await copySamples(carried, contents, parent);
    const open = 'Open Folder';
    const said = await vscode.window.showInformationMessage(`The samples are in ${folder.fsPath}.`, open);
    if (said === open) await vscode.commands.executeCommand('vscode.openFolder', folder, { forceNewWindow: true });
  } catch (error) {
    void vscode.window.showErrorMessage(`MMU Scenarios: the samples could not be copied: ${messageOf(error)}`);
  }
}

/** Copies them into a new folder, and gives it. */
async function copySamples(carried: Carried, { samples, others }: Contents, parent: vscode.Uri): Promise<vscode.Uri> {
  let folder = vscode.Uri.joinPath(parent, FOLDER);
  for (let number = 2; await exists(folder); number++) folder = vscode.Uri.joinPath(parent, `${FOLDER}-${number}`);
  for (const path of [...samples.map((each) => each.path), ...others]) {
    const target = vscode.Uri.joinPath(folder, ...path.split('/').slice(1));
    await vscode.workspace.fs.writeFile(target, await carried.bytes(path));
  }
  return folder;
}

async function exists(uri: vscode.Uri): Promise<boolean> {
  return vscode.workspace.fs.stat(uri).then(
    () => true,
    () => false,
  );
}

function preview(carried: Carried, path: string): Thenable<unknown> {
  return vscode.commands.executeCommand('markdown.showPreview', carried.uri(path));
}
