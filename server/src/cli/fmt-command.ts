/** `mmu fmt`: scenarios in their one printed form. */
import { format } from '../api/language';
import type { Arguments } from './commands';
import { readSource, replaceFile } from './files';
import { InputError } from './io';
import type { Io } from './io';
import { report } from './problems';
import { openText } from './script';

export function fmt(args: Arguments, io: Io): number {
  const onlyCheck = args.options.check === true;
  let status = 0;
  for (const path of args.positionals) {
    try {
      status = Math.max(status, fmtFile(path, onlyCheck, io));
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      io.err(`${error.message}\n`);
      status = 2;
    }
  }
  return status;
}

function fmtFile(path: string, onlyCheck: boolean, io: Io): number {
  const { name, text } = readSource(path, io);
  const formatted = format(text);
  if (formatted === null) {
    report(
      openText(path, text, { allowed: [] }).problems.filter(({ severity }) => severity === 'error'),
      io,
    );
    return 2;
  }
  if (onlyCheck) {
    if (formatted === text) return 0;
    io.out(`${name}\n`);
    return 1;
  }
  if (path === '-') io.out(formatted);
  else if (formatted !== text) replaceFile(path, formatted);
  return 0;
}
