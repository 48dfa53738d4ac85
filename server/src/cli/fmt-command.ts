/** `mmu fmt`: scenarios in their one printed form. */
import { format } from '../api/language';
import type { Arguments } from './commands';
import { readSource, replaceFile } from './io';
import type { Io } from './io';
import { report } from './problems';
import { openText } from './script';

export function fmt(args: Arguments, io: Io): number {
  const onlyCheck = args.options.check === true;
  let status = 0;
  for (const path of args.positionals) {
    const { name, text } = readSource(path, io);
    const formatted = format(text);
    if (formatted === null) {
      report(
        openText(path, text).problems.filter(({ severity }) => severity === 'error'),
        io,
      );
      status = 2;
    } else if (onlyCheck) {
      if (formatted === text) continue;
      io.out(`${name}\n`);
      status = Math.max(status, 1);
    } else if (path === '-') io.out(formatted);
    else if (formatted !== text) replaceFile(path, formatted);
  }
  return status;
}
