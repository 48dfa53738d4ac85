/** Problems of a script as lines `file:line:column: severity: message [code]`. */
import { relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Problem } from '../api/language';
import type { Io } from './io';

export const STDIN_URI = pathToFileURL('<stdin>').href;

export function report(problems: readonly Problem[], io: Io): void {
  io.err(problems.map(line).join(''));
}

function line({ uri, range, severity, message, code }: Problem): string {
  return `${nameOf(uri)}:${range.start.line + 1}:${range.start.character + 1}: ${severity}: ${message} [${code}]\n`;
}

/** A URI as the user would name the file: relative to the working folder when it lies below it. */
export function nameOf(uri: string): string {
  if (uri === STDIN_URI) return '<stdin>';
  const path = fileURLToPath(uri);
  const short = relative(process.cwd(), path);
  return short.startsWith('..') ? path : short;
}
