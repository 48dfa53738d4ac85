/** A scenario as the commands open it: by a path or standard input, with its imports read from beside it. */
import { readFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { MOST_LOADED, openScript } from '../api/language';
import type { MmuKind, OpenScript } from '../api/language';
import { InputError, firstBytes, readSource } from './io';
import type { Io } from './io';
import { nameOf, report, STDIN_URI } from './problems';

/** Opens a file for a command. @throws InputError when it cannot be read. */
export function openFile(path: string, io: Io, under?: MmuKind): OpenScript {
  return openText(path, readSource(path, io).text, under);
}

/** Opens a text that was read from this path already. */
export function openText(path: string, text: string, under?: MmuKind): OpenScript {
  return openScript(text, path === '-' ? STDIN_URI : pathToFileURL(path).href, { read: readUri, readBytes: readUriBytes, under });
}

/** As {@link openFile}, its problems reported; null when it cannot be read or has errors. */
export function openChecked(path: string, io: Io, under?: MmuKind): OpenScript | null {
  try {
    const script = openFile(path, io, under);
    report(script.problems, io);
    return script.problems.some(({ severity }) => severity === 'error') ? null : script;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    io.err(`${error.message}\n`);
    return null;
  }
}

/** As {@link openChecked}, with something to run. */
export function openRunnable(path: string, io: Io, under?: MmuKind): OpenScript | null {
  const script = openChecked(path, io, under);
  if (script && script.programs.length === 0) {
    io.err(`${nameOf(script.uri)}: nothing to run: it has no run block\n`);
    return null;
  }
  return script;
}

/** Text of an imported file; null when it cannot be read. */
function readUri(uri: string): string | null {
  try {
    return readFileSync(fileURLToPath(uri), 'utf8');
  } catch {
    return null;
  }
}

/** Content of a file that is loaded, one byte more than can be used at most; null when it cannot be read. */
function readUriBytes(uri: string): Uint8Array | null {
  try {
    return firstBytes(fileURLToPath(uri), MOST_LOADED + 1);
  } catch {
    return null;
  }
}

/** Seconds from an option. @throws InputError when it is no positive number. */
export function milliseconds(option: string | boolean | undefined, otherwise: number): number {
  if (typeof option !== 'string') return otherwise;
  const seconds = Number(option);
  if (!(seconds > 0)) throw new InputError(`--time-limit takes seconds, not ${option}`);
  return seconds * 1000;
}
