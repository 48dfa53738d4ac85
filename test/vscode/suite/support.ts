/** What the tests in the extension host share. */
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';

export const EXTENSION = 'mmu-scenarios.mmu-scenarios';
const LIMIT = 20_000;

export async function activated(): Promise<void> {
  const extension = vscode.extensions.getExtension(EXTENSION);
  assert.ok(extension, `${EXTENSION} is not installed`);
  await extension.activate();
}

/** Asks again until there is an answer that is not null or empty. */
export async function eventually<T>(what: string, ask: () => T | null | undefined | PromiseLike<T | null | undefined>): Promise<T> {
  const end = Date.now() + LIMIT;
  for (;;) {
    const answer = await ask();
    if (answer !== null && answer !== undefined && answer !== false && !(Array.isArray(answer) && answer.length === 0)) return answer;
    if (Date.now() > end) throw new Error(`no ${what} within ${LIMIT / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** A scenario that has no file. */
export async function untitled(content: string): Promise<vscode.TextDocument> {
  await activated();
  const document = await vscode.workspace.openTextDocument({ language: 'mmu', content });
  await vscode.window.showTextDocument(document);
  return document;
}

/** A file of the workspace. */
export async function opened(name: string): Promise<vscode.TextDocument> {
  await activated();
  const folder = vscode.workspace.workspaceFolders?.[0];
  assert.ok(folder, 'no workspace');
  const document = await vscode.workspace.openTextDocument(vscode.Uri.joinPath(folder.uri, name));
  await vscode.window.showTextDocument(document);
  return document;
}

/** Where a text stands the n-th time, counted from 0, its middle. */
export function at(document: vscode.TextDocument, text: string, nth = 0): vscode.Position {
  let offset = -1;
  for (let i = 0; i <= nth; i++) {
    offset = document.getText().indexOf(text, offset + 1);
    assert.ok(offset >= 0, `no «${text}» in the document`);
  }
  return document.positionAt(offset + Math.floor(text.length / 2));
}

export async function closeAll(): Promise<void> {
  // Closing what was changed would ask whether to save it.
  while (vscode.window.activeTextEditor?.document.isDirty)
    await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
  await vscode.commands.executeCommand('workbench.action.closeAllEditors');
}

export function errorsOf(document: vscode.TextDocument): vscode.Diagnostic[] {
  return vscode.languages.getDiagnostics(document.uri).filter(({ severity }) => severity === vscode.DiagnosticSeverity.Error);
}

/** Open tabs that show a trace. */
export function traceTabs(): vscode.Tab[] {
  return vscode.window.tabGroups.all
    .flatMap(({ tabs }) => tabs)
    .filter(({ input }) => input instanceof vscode.TabInputWebview && input.viewType.endsWith('mmu.trace'));
}

export const SCENARIO = `host { memory 64M }

vm guest {
  mmu ept
  slot 0 { gpa 0  size 16M  hva 0x7f00_0000_0000 }
  tables kernel at 0x1000 {
    0x40_0000 +2M -> 0x20_0000 rw user
  }
  vcpu { cr3 kernel }
}

run guest {
  user read 0x40_0123  expect ok
  user write 0x40_0456  expect ok
}
`;
