/** The extension in a browser: the language server is a web worker. */
import { Uri } from 'vscode';
import type { ExtensionContext } from 'vscode';
import { BrowserMessageReader, BrowserMessageWriter, LanguageClient } from 'vscode-languageclient/browser';
import { activateWith, stop } from './activate';

export function activate(context: ExtensionContext): Promise<void> {
  const script = (name: string) => Uri.joinPath(context.extensionUri, 'dist', 'browser', name).toString(true);
  // A new worker at each start, so that a restart restarts. Spoken to by hand: the extension host's `Worker` makes workers of another
  // class, which the client would not know for such.
  let worker: Worker | null = null;
  const start = async () => {
    worker?.terminate();
    worker = new Worker(script('server.js'));
    return { reader: new BrowserMessageReader(worker), writer: new BrowserMessageWriter(worker) };
  };
  return activateWith(context, (id, name, options) => new LanguageClient(id, name, start, options), { workerUrl: script('server.js') });
}

export const deactivate = stop;
