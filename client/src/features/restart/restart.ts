/** `MMU: Restart Language Server`. */
import * as vscode from 'vscode';
import { messageOf } from '../../messages';
import type { Server } from '../../server';

export function activateRestart(context: vscode.ExtensionContext, server: Server): void {
  let restarting: Promise<void> | null = null;
  const restart = async () => {
    try {
      await server.restart();
      vscode.window.setStatusBarMessage('MMU: language server restarted', 5000);
    } catch (error) {
      server.output.error(`The language server did not restart: ${messageOf(error)}`);
      void vscode.window.showErrorMessage(`MMU Scenarios: the language server did not restart: ${messageOf(error)}`);
    }
  };
  context.subscriptions.push(
    // Asked for twice, it restarts once.
    vscode.commands.registerCommand('mmu.restartServer', () => (restarting ??= restart().finally(() => (restarting = null)))),
  );
}
