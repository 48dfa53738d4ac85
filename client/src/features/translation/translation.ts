/** `MMU: Show Translation of Address`: the way of the address at the cursor, or of one that is typed in, in the trace panel. */
import * as vscode from 'vscode';
import { messageOf } from '../../messages';
import { activeScenario, sayNone } from '../../scenario';
import type { Server } from '../../server';
import type { TracePanels } from '../trace-panel/trace-panel';

export function activateTranslation(context: vscode.ExtensionContext, server: Server, panels: TracePanels): void {
  const show = async (given?: unknown) => {
    const editor = activeScenario();
    if (!editor) return sayNone();
    const uri = editor.document.uri.toString();
    const { line, character } = editor.selection.active;
    const runId = panels.selectedRun(uri) ?? undefined;
    const ask = (address?: string) => server.request('mmu/translate', { uri, line, character, address, runId });
    try {
      const here = await ask(typeof given === 'string' ? given : undefined);
      const found = here ?? (await askFor(ask));
      if (found) await panels.showTranslation(uri, found.view);
    } catch (error) {
      void vscode.window.showErrorMessage(`MMU Scenarios: ${messageOf(error)}`);
    }
  };
  context.subscriptions.push(vscode.commands.registerCommand('mmu.showTranslation', show));
}

/** Asks for an address; what is typed is tried at once, so that what cannot be translated is said while typing. */
async function askFor<T>(translate: (address: string) => Promise<T | null>): Promise<T | null> {
  const typed = await vscode.window.showInputBox({
    title: 'Show Translation of Address',
    prompt: 'A linear address, or a guest-physical one after gpa',
    placeHolder: '0x40_0123 or gpa 0x5000',
    validateInput: async (address) => {
      if (address.trim() === '') return 'An address';
      return (await translate(address.trim())) ? null : 'No address that can be translated at this place of the scenario';
    },
  });
  return typed === undefined ? null : translate(typed.trim());
}
