/** `MMU: Run Scenario` and `MMU: Run to Cursor`, with progress that can be cancelled. */
import * as vscode from 'vscode';
import type { RunInfo } from '../../../../server/src/protocol/messages';
import { messageOf, plural } from '../../messages';
import { activeScenario, sayNone, scenarioUri } from '../../scenario';
import type { Server } from '../../server';
import type { TracePanels } from '../trace-panel/trace-panel';

/** Runs shorter than this, in milliseconds, show no progress. */
const PATIENCE = 500;
const STATUS_TIME = 6000;

export function activateRun(context: vscode.ExtensionContext, server: Server, panels: TracePanels): void {
  let number = 0;

  const run = async (uri: string, line?: number): Promise<readonly RunInfo[] | null> => {
    const cancel = new vscode.CancellationTokenSource();
    const workDoneToken = `mmu-run-${++number}`;
    const answer = server.request('mmu/run', { uri, line, workDoneToken }, cancel.token);
    try {
      const first = await Promise.race([answer, later(PATIENCE)]);
      return first === LATE ? await withProgress(server, workDoneToken, answer, cancel) : first;
    } catch (error) {
      if (cancel.token.isCancellationRequested) vscode.window.setStatusBarMessage('MMU: run cancelled', STATUS_TIME);
      else void vscode.window.showErrorMessage(`MMU Scenarios: ${messageOf(error)}`);
      return null;
    } finally {
      cancel.dispose();
    }
  };

  const tell = (runs: readonly RunInfo[]) => {
    if (runs.length === 0) {
      void vscode.window
        .showWarningMessage('MMU Scenarios: nothing was run. The scenario has errors, or no run.', 'Show Problems')
        .then((chosen) => chosen && vscode.commands.executeCommand('workbench.actions.view.problems'));
      return;
    }
    const failed = runs.reduce((sum, each) => sum + each.failed, 0);
    const said =
      failed > 0 ? `$(error) ${plural(failed, 'expectation')} failed` : `$(check) ${plural(runs.length, 'run')}, all expectations hold`;
    vscode.window.setStatusBarMessage(`MMU: ${said}`, STATUS_TIME);
  };

  context.subscriptions.push(
    vscode.commands.registerCommand('mmu.run', async (given?: unknown, line?: unknown) => {
      const uri = scenarioUri(given);
      if (uri === null) return null;
      const runs = await run(uri, typeof line === 'number' ? line : undefined);
      if (runs) tell(runs);
      return runs;
    }),
    vscode.commands.registerCommand('mmu.runToCursor', async () => {
      const editor = activeScenario();
      if (!editor) return sayNone();
      const uri = editor.document.uri.toString();
      const { line } = editor.selection.active;
      const runs = await run(uri, line);
      if (!runs) return;
      tell(runs);
      if (runs.length > 0) await panels.show(uri, { line, preserveFocus: true });
    }),
  );
}

const LATE = Symbol('late');

function later(milliseconds: number): Promise<typeof LATE> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds, LATE));
}

function withProgress(
  server: Server,
  token: string,
  answer: Promise<RunInfo[]>,
  cancel: vscode.CancellationTokenSource,
): Thenable<RunInfo[]> {
  const options = { location: vscode.ProgressLocation.Notification, title: 'MMU: running the scenario', cancellable: true };
  return vscode.window.withProgress(options, async (progress, cancelled) => {
    let reached = 0;
    const listener = server.onProgress(token, (message, percentage) => {
      progress.report({ message, increment: percentage === undefined ? undefined : percentage - reached });
      reached = percentage ?? reached;
    });
    const subscription = cancelled.onCancellationRequested(() => cancel.cancel());
    try {
      return await answer;
    } finally {
      listener.dispose();
      subscription.dispose();
    }
  });
}
