/** `mmu check`: what is wrong in scenarios. */
import type { Arguments } from './commands';
import type { Io } from './io';
import { report } from './problems';
import { openFile } from './script';

export function check(args: Arguments, io: Io): number {
  let errors = 0;
  for (const path of args.positionals) {
    const { problems } = openFile(path, io);
    report(problems, io);
    errors += problems.filter(({ severity }) => severity === 'error').length;
  }
  return errors > 0 ? 2 : 0;
}
