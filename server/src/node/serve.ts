/** The language server on the streams or the channel of a Node process. */
import { createConnection } from 'vscode-languageserver/node';
import { startServer } from '../server';
import { nodeRuntime } from './runtime';

/** Serves over the channel that the command line names: `--node-ipc`, `--socket=N`, `--pipe=NAME`; otherwise standard input and output. */
export function serve(): void {
  const named = process.argv.some((each) => /^--(?:node-ipc|socket|pipe|stdio)\b/.test(each));
  startServer(named ? createConnection() : createConnection(process.stdin, process.stdout), nodeRuntime);
}
