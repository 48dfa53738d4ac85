/** A scenario as the commands open it: by a path or standard input, with its imports read from beside it. */
import { dirname, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { isNotOpened, MOST_BYTES, openScript } from '../api/language';
import type { Found, Kernel, MmuKind, OpenScript } from '../api/language';
import { looksLikeTrace } from '../api/traces';
import { readRegularNow } from '../node/regular-file';
import type { Arguments } from './commands';
import { readSource } from './files';
import { InputError } from './io';
import type { Io } from './io';
import { nameOf, report, STDIN_URI } from './problems';

interface Opening {
  /** Run under this kind of MMU alone. */
  readonly under?: MmuKind;
  /** Run with this kernel alone. */
  readonly kernel?: Kernel;
  /** Folders, beside its own and those below, from which the file's own words may read. */
  readonly allowed: readonly string[];
}

/** How a command's options say that files are opened. */
export function openingOf({ options }: Arguments): Opening {
  const allowed = (options['allow-dir'] as readonly string[] | undefined) ?? [];
  return { under: options.mmu as MmuKind | undefined, kernel: options.kernel as Kernel | undefined, allowed };
}

/** Opens a file for a command. @throws InputError when it cannot be read, or is no scenario at all. */
function openFile(path: string, io: Io, opening: Opening): OpenScript {
  return openText(path, scenarioText(path, io), opening);
}

/** The text of a scenario. @throws InputError when it cannot be read, or is no scenario at all. */
export function scenarioText(path: string, io: Io): string {
  const { name, text } = readSource(path, io);
  if (looksLikeTrace(text)) throw new InputError(`${name}: is a recorded trace, not a scenario; see mmu explain`);
  return text;
}

/** Opens a text that was read from this path already. */
export function openText(path: string, text: string, { under, kernel, allowed }: Opening): OpenScript {
  const folders = [path === '-' ? '.' : dirname(path), ...allowed].map((folder) => resolve(folder));
  const readBytes = (uri: string): Found<Uint8Array> => readUri(uri, folders);
  const read = (uri: string): Found<string> => {
    const found = readBytes(uri);
    return found === null || isNotOpened(found) ? found : new TextDecoder('utf-8', { ignoreBOM: true }).decode(found);
  };
  return openScript(text, path === '-' ? STDIN_URI : pathToFileURL(path).href, { read, readBytes, under, kernel });
}

/** As {@link openFile}, its problems reported; null when it cannot be read or has errors. */
export function openChecked(path: string, io: Io, opening: Opening): OpenScript | null {
  try {
    return checked(openFile(path, io, opening), io);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    io.err(`${error.message}\n`);
    return null;
  }
}

/** A script whose problems are reported; null when it has errors. */
function checked(script: OpenScript, io: Io): OpenScript | null {
  report(script.problems, io);
  return script.problems.some(({ severity }) => severity === 'error') ? null : script;
}

/** As {@link openChecked}, with something to run. */
export function openRunnable(path: string, io: Io, opening: Opening): OpenScript | null {
  return withRuns(openChecked(path, io, opening), io);
}

/** A text that was read from this path, with something to run; its problems are reported. */
export function openRunnableText(path: string, text: string, io: Io, opening: Opening): OpenScript | null {
  return withRuns(checked(openText(path, text, opening), io), io);
}

function withRuns(script: OpenScript | null, io: Io): OpenScript | null {
  if (!script || script.programs.length > 0) return script;
  io.err(`${nameOf(script.uri)}: nothing to run: it has no run block\n`);
  return null;
}

/** A file that a scenario names. */
function readUri(uri: string, folders: readonly string[]): Found<Uint8Array> {
  try {
    return readRegularNow(fileURLToPath(uri), { most: MOST_BYTES, folders });
  } catch {
    return null;
  }
}

/** Seconds from an option. @throws InputError when it is no positive number. */
export function milliseconds(option: Arguments['options'][string], otherwise: number): number {
  if (typeof option !== 'string') return otherwise;
  const seconds = Number(option);
  if (!(seconds > 0)) throw new InputError(`--time-limit takes seconds, not ${option}`);
  return seconds * 1000;
}

/** Number of a line from an option, from 1; null: none is given. @throws InputError when it is no such number. */
export function lineOf({ command, options }: Arguments, name: string): number | null {
  const option = options[name];
  if (option === undefined) return null;
  const line = Number(option);
  if (!Number.isInteger(line) || line < 1)
    throw new InputError(`mmu ${command.name}: --${name} takes a line's number, not ${String(option)}`);
  return line;
}
