/** `mmu lsp`: the language server over standard input and output. */
import type { Arguments } from './commands';
import type { Io } from './io';

export async function lsp(_args: Arguments, _io: Io): Promise<number> {
  const { serveStdio } = await import('../node/serve');
  return serveStdio();
}
