/** Problems of a script as lines `file:line:column: severity: message [code]`. */
import type { Problem } from '../run/session';
import type { Io } from './io';
import { nameOf } from './script';

export function report(problems: readonly Problem[], io: Io): void {
  io.err(problems.map(line).join(''));
}

function line({ uri, range, severity, message, code }: Problem): string {
  return `${nameOf(uri)}:${range.start.line + 1}:${range.start.character + 1}: ${severity}: ${message} [${code}]\n`;
}
