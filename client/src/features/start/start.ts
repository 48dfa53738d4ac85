/** F5 in a scenario: there is nothing to attach a debugger to, so it is run and its trace is shown. */
import * as vscode from 'vscode';
import { activeScenario } from '../../scenario';
import type { TracePanels } from '../trace-panel/trace-panel';

const DEBUG_TYPE = 'mmu';

export function activateStart(context: vscode.ExtensionContext, panels: TracePanels): void {
  const provider: vscode.DebugConfigurationProvider = {
    /** Nothing for VS Code to start, and nothing to ask: neither a session nor a launch.json. */
    async resolveDebugConfiguration() {
      const editor = activeScenario();
      if (!editor) return undefined;
      const uri = editor.document.uri.toString();
      const { line } = editor.selection.active;
      const runs = await vscode.commands.executeCommand<unknown[] | null>('mmu.run', uri);
      if (runs && runs.length > 0) await panels.show(uri, { line, preserveFocus: true });
      return undefined;
    },
  };
  context.subscriptions.push(vscode.debug.registerDebugConfigurationProvider(DEBUG_TYPE, provider));
}
