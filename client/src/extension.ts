/** The extension on the desktop: the language server is a process of its own, spoken to over IPC. */
import type { ExtensionContext } from 'vscode';
import { LanguageClient, TransportKind } from 'vscode-languageclient/node';
import { activateWith, stop } from './activate';

export function activate(context: ExtensionContext): Promise<void> {
  const module = context.asAbsolutePath('dist/server.js');
  const run = { module, transport: TransportKind.ipc };
  const debug = { ...run, options: { execArgv: ['--nolazy', '--inspect=6009'] } };
  return activateWith(context, (id, name, options) => new LanguageClient(id, name, { run, debug }, options));
}

export const deactivate = stop;
