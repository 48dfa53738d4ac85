/** From arguments to a command and its exit status. */
import { check } from './check';
import { COMMANDS, commandHelp, generalHelp, parseCommand } from './commands';
import type { Arguments } from './commands';
import { fmt } from './fmt';
import { InputError } from './io';
import type { Io } from './io';
import { lsp } from './lsp';
import { runFile } from './run';
import { test } from './test';
import { translateAddress } from './translate';
import { VERSION } from './version';

type Command = (args: Arguments, io: Io) => number | Promise<number>;

const DO: { readonly [name: string]: Command } = { run: runFile, check, fmt, test, translate: translateAddress, lsp };

/** Exit status of `mmu` with these arguments. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined) {
    io.err(generalHelp());
    return 2;
  }
  if (name === '--help' || name === '-h' || name === 'help') {
    const about = COMMANDS.find((command) => command.name === rest[0]);
    io.out(about ? commandHelp(about) : generalHelp());
    return 0;
  }
  if (name === '--version' || name === '-V') {
    io.out(`mmu ${VERSION}\n`);
    return 0;
  }
  const command = COMMANDS.find((each) => each.name === name);
  if (!command) {
    io.err(`mmu: no command ${name}; see mmu --help\n`);
    return 2;
  }
  try {
    const args = parseCommand(command, rest);
    if (args.help) {
      io.out(commandHelp(command));
      return 0;
    }
    return await DO[name](args, io);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    io.err(`${error.message}\n`);
    return 2;
  }
}
