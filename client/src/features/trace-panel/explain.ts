/** What a section of docs/outcomes.md says, shown as the editor shows Markdown. */
import * as vscode from 'vscode';

export async function explain(extension: vscode.Uri, section: string): Promise<void> {
  const document = vscode.Uri.joinPath(extension, 'docs', 'outcomes.md').with({ fragment: section });
  await vscode.commands.executeCommand('markdown.showPreview', document);
}
