/** What the command line reads and writes, given by its entry so that tests can stand in for a terminal. */
import {
  closeSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';

export interface Io {
  out(text: string): void;
  err(text: string): void;
  /** All of standard input. */
  stdin(): Buffer;
  /** Colours are wanted on standard output. */
  readonly colors: boolean;
  /** Columns of the terminal. */
  readonly width: number;
}

/** A message for the user, without a stack; ends the command with exit status 2. */
export class InputError extends Error {}

/** Largest file that is read as a scenario. */
const MAX_BYTES = 64 * 1024 * 1024;

export interface Source {
  /** As the user named it, `<stdin>` for `-`. */
  readonly name: string;
  readonly text: string;
}

/** The text of a file, or of standard input for `-`. @throws InputError when there is no such text. */
export function readSource(path: string, io: Io): Source {
  const name = path === '-' ? '<stdin>' : path;
  const bytes = path === '-' ? io.stdin() : readBytes(path);
  if (bytes.includes(0)) throw new InputError(`${name}: is a binary file`);
  try {
    return { name, text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    throw new InputError(`${name}: is not UTF-8 text`);
  }
}

function readBytes(path: string): Buffer {
  try {
    const stat = statSync(path);
    if (stat.isDirectory()) throw new InputError(`${path}: is a directory`);
    if (stat.size > MAX_BYTES) throw new InputError(`${path}: is larger than 64M`);
    return readFileSync(path);
  } catch (error) {
    throw explained(path, error);
  }
}

/** What a file begins with, all of it when it has no more bytes. @throws when it cannot be read */
export function firstBytes(path: string, most: number): Uint8Array {
  const file = openSync(path, 'r');
  try {
    const bytes = new Uint8Array(Math.min(most, fstatSync(file).size));
    let read = 0;
    for (let got = 1; got > 0 && read < bytes.length; read += got) got = readSync(file, bytes, read, bytes.length - read, read);
    return bytes.subarray(0, read);
  } finally {
    closeSync(file);
  }
}

/** Writes beside the file and renames, so that a reader sees the old text or the new one and never a part. */
export function replaceFile(path: string, text: string): void {
  let beside: string | null = null;
  try {
    const target = realpathSync(path);
    beside = join(dirname(target), `.${basename(target)}.${process.pid}.tmp`);
    const file = openSync(beside, 'wx', statSync(target).mode);
    try {
      writeFileSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(beside, target);
  } catch (error) {
    if (beside) rmSync(beside, { force: true });
    throw explained(path, error);
  }
}

/** The `.mmu` files named by paths: files as they are, folders with all below them, in order. */
export function findScenarios(paths: readonly string[]): string[] {
  const found: string[] = [];
  for (const path of paths) {
    let stat;
    try {
      stat = statSync(path);
    } catch (error) {
      throw explained(path, error);
    }
    if (!stat.isDirectory()) found.push(path);
    else found.push(...below(path));
  }
  return found;
}

function below(folder: string): string[] {
  const found: string[] = [];
  const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    if (entry.name === 'node_modules' || entry.name.startsWith('.')) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) found.push(...below(path));
    else if (entry.name.endsWith('.mmu')) found.push(path);
  }
  return found;
}

const REASONS: { readonly [code: string]: string } = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EISDIR: 'is a directory',
  ENOTDIR: 'not a directory',
  EROFS: 'read-only file system',
  ENOSPC: 'no space left on device',
};

function explained(path: string, error: unknown): InputError {
  if (error instanceof InputError) return error;
  const code = (error as NodeJS.ErrnoException).code;
  return new InputError(`${path}: ${(code && REASONS[code]) ?? (error as Error).message}`);
}
