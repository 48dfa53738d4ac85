/** A scenario as the commands open it: by a path or standard input, with its imports read from beside it. */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { MmuKind } from '../engine/program';
import { openScript } from '../run/session';
import type { OpenScript } from '../run/session';
import { InputError, readSource } from './io';
import type { Io } from './io';

const STDIN_URI = pathToFileURL('<stdin>').href;

/** Opens a file for a command. @throws InputError when it cannot be read. */
export function openFile(path: string, io: Io, under?: MmuKind): OpenScript {
  return openText(path, readSource(path, io).text, under);
}

/** Opens a text that was read from this path already. */
export function openText(path: string, text: string, under?: MmuKind): OpenScript {
  return openScript(text, path === '-' ? STDIN_URI : pathToFileURL(path).href, { read: readUri, under });
}

/** Text of an imported file; null when it cannot be read. */
function readUri(uri: string): string | null {
  try {
    return readFileSync(fileURLToPath(uri), 'utf8');
  } catch {
    return null;
  }
}

/** A URI as the user would name the file: relative to the working folder when it lies below it. */
export function nameOf(uri: string): string {
  if (uri === STDIN_URI) return '<stdin>';
  const path = fileURLToPath(uri);
  const short = relative(process.cwd(), path);
  return short.startsWith('..') ? path : short;
}

/** Seconds from an option. @throws InputError when it is no positive number. */
export function milliseconds(option: string | boolean | undefined, otherwise: number): number {
  if (typeof option !== 'string') return otherwise;
  const seconds = Number(option);
  if (!(seconds > 0)) throw new InputError(`--time-limit takes seconds, not ${option}`);
  return seconds * 1000;
}
