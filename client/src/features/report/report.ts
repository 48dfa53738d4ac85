/** `MMU: Export Report…`: the runs of a scenario as a page of HTML, saved where the user says. */
import * as vscode from 'vscode';
import { messageOf } from '../../messages';
import { activeScenario, scenarioUri } from '../../scenario';
import type { Server } from '../../server';

export function activateReport(context: vscode.ExtensionContext, server: Server): void {
  /** @returns the page's URI; null: none was saved */
  const save = async (uri: string, given: vscode.Uri | null): Promise<vscode.Uri | null> => {
    await vscode.workspace.openTextDocument(vscode.Uri.parse(uri, true));
    let runs = await server.request('mmu/runs', { uri });
    if (runs.length === 0) runs = await server.request('mmu/run', { uri });
    const editor = activeScenario();
    const line = editor?.document.uri.toString() === uri ? editor.selection.active.line : null;
    const page = runs[0] && (await server.request('mmu/report', { runId: runs[0].runId, line }));
    if (!page) {
      void vscode.window.showWarningMessage('MMU Scenarios: nothing was run, so there is nothing to report.');
      return null;
    }
    const to = given ?? (await vscode.window.showSaveDialog({ defaultUri: pageBeside(uri), filters: { 'Web page': ['html'] } }));
    if (!to) return null;
    await vscode.workspace.fs.writeFile(to, new TextEncoder().encode(page));
    void vscode.window
      .showInformationMessage(`MMU Scenarios: the report is ${to.path.split('/').at(-1)}.`, 'Open')
      .then((chosen) => chosen && vscode.env.openExternal(to));
    return to;
  };

  context.subscriptions.push(
    vscode.commands.registerCommand('mmu.exportReport', async (given?: unknown, to?: unknown) => {
      const uri = scenarioUri(given);
      if (uri === null) return null;
      try {
        return await save(uri, to instanceof vscode.Uri ? to : null);
      } catch (error) {
        void vscode.window.showErrorMessage(`MMU Scenarios: ${messageOf(error)}`);
        return null;
      }
    }),
  );
}

/** `first-touch.html` beside `first-touch.mmu`. */
function pageBeside(uri: string): vscode.Uri {
  const scenario = vscode.Uri.parse(uri, true);
  return scenario.with({ path: `${scenario.path.replace(/\.mmu$/, '')}.html`, query: '', fragment: '' });
}
