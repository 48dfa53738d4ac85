/** `mmu lsp`: the language server, a program of its own, which serves as soon as it is loaded. */
import type { Arguments } from './commands';
import type { Io } from './io';

export async function lsp(_args: Arguments, _io: Io): Promise<number> {
  await import('../node/main');
  return new Promise(() => undefined);
}
