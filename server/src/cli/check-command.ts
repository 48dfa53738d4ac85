/** `mmu check`: what is wrong in scenarios. */
import type { Arguments } from './commands';
import type { Io } from './io';
import { openChecked, openingOf } from './script';

export function check(args: Arguments, io: Io): number {
  const wrong = args.positionals.filter((path) => !openChecked(path, io, openingOf(args)));
  return wrong.length > 0 ? 2 : 0;
}
