/** `MMU: New Scenario`: a template as a document without a file, or into an empty one. */
import * as vscode from 'vscode';
import type { Carried, Entry } from '../../contents';
import { LANGUAGE } from '../../scenario';

export function activateNewScenario(context: vscode.ExtensionContext, carried: Carried): void {
  context.subscriptions.push(
    vscode.commands.registerCommand('mmu.newScenario', async (given?: unknown, template?: unknown) => {
      const { templates } = await carried.contents();
      const chosen = templates.find(({ path }) => path === template) ?? (await choose(templates));
      if (!chosen) return;
      const text = await carried.text(chosen.path);
      const empty = typeof given === 'string' ? await emptyDocument(given) : null;
      if (empty) {
        const edit = new vscode.WorkspaceEdit();
        edit.replace(empty.uri, new vscode.Range(0, 0, empty.lineCount, 0), text);
        await vscode.workspace.applyEdit(edit);
        return;
      }
      await vscode.window.showTextDocument(await vscode.workspace.openTextDocument({ language: LANGUAGE, content: text }));
    }),
  );
}

async function choose(templates: readonly Entry[]): Promise<Entry | undefined> {
  const items = templates.map((entry) => {
    const [label, detail] = entry.title.split(/:\s+(.*)/s);
    return { label, detail: detail.charAt(0).toUpperCase() + detail.slice(1), entry };
  });
  const chosen = await vscode.window.showQuickPick(items, {
    title: 'New Scenario',
    placeHolder: 'What it begins with',
    matchOnDetail: true,
  });
  return chosen?.entry;
}

/** The document when there is nothing in it. */
async function emptyDocument(uri: string): Promise<vscode.TextDocument | null> {
  const document = await vscode.workspace.openTextDocument(vscode.Uri.parse(uri, true));
  return document.getText().trim() === '' ? document : null;
}
