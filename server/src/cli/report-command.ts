/** `mmu report`: a scenario's runs as a page of HTML to take away. */
import { writeFileSync } from 'node:fs';
import { report } from '../api/engine';
import type { Arguments } from './commands';
import { INTERRUPTED, runInterruptibly } from './interruptible';
import { explained, InputError } from './io';
import type { Io } from './io';
import { nameOf } from './problems';
import { exitStatus, TIME_LIMIT } from './run-command';
import { milliseconds, openingOf, openRunnableText, scenarioText } from './script';

export async function reportFile(args: Arguments, io: Io): Promise<number> {
  const [path] = args.positionals;
  const { output } = args.options;
  const line = lineOf(args.options.line);
  const text = scenarioText(path, io);
  const script = openRunnableText(path, text, io, openingOf(args));
  if (!script) return 2;
  const { views, interrupted } = await runInterruptibly(script, milliseconds(args.options['time-limit'], TIME_LIMIT), io);
  const pieces = report({ file: nameOf(script.uri), uri: script.uri, text, views, line });
  if (typeof output !== 'string' || output === '-') for (const piece of pieces) io.out(piece);
  else write(output, [...pieces].join(''));
  return interrupted ? INTERRUPTED : exitStatus(views);
}

/** @throws InputError when it cannot be written, or is the scenario itself */
function write(path: string, page: string): void {
  if (path.endsWith('.mmu')) throw new InputError(`mmu report: -o takes a file for the page, not a scenario: ${path}`);
  try {
    writeFileSync(path, page);
  } catch (error) {
    throw explained(path, error);
  }
}

function lineOf(option: Arguments['options'][string]): number | null {
  if (option === undefined) return null;
  const line = Number(option);
  if (!Number.isInteger(line) || line < 1) throw new InputError(`mmu report: --line takes a line's number, not ${String(option)}`);
  return line - 1;
}
