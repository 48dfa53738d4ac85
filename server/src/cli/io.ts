/** What the command line reads and writes, given by its entry so that tests can stand in for a terminal; and what it says of failures. */

import type { Readable } from 'node:stream';

export interface Io {
  out(text: string): void;
  err(text: string): void;
  /** All of standard input, but no more than a byte beyond `most`. */
  stdin(most: number): Uint8Array;
  /** Standard input as it comes. */
  input(): Readable;
  /** Shows how far something is, in place of what was shown before, where somebody looks; '': takes it away. */
  progress(text: string): void;
  /** Colours are wanted on standard output. */
  readonly colors: boolean;
  /** Columns of the terminal. */
  readonly width: number;
}

/** A message for the user, without a stack; ends the command with exit status 2. */
export class InputError extends Error {}

const REASONS: { readonly [code: string]: string } = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EISDIR: 'is a directory',
  ENOTDIR: 'not a directory',
  EROFS: 'read-only file system',
  ENOSPC: 'no space left on device',
  EFBIG: 'file too large',
  EIO: 'input/output error',
};

/** The system's error in words, of a path or a stream. */
export function explained(path: string, error: unknown): InputError {
  if (error instanceof InputError) return error;
  const code = (error as NodeJS.ErrnoException).code;
  return new InputError(`${path}: ${(code && REASONS[code]) ?? (error as Error).message}`);
}
