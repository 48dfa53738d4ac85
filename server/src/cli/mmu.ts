/** From arguments to a command and its exit status. */
import { COMMANDS, commandHelp, generalHelp, parseCommand } from './commands';
import type { Arguments } from './commands';
import { InputError } from './io';
import type { Io } from './io';
import { VERSION } from './version-command';

type Command = (args: Arguments, io: Io) => number | Promise<number>;

/** Each is loaded when it is asked for: most need only a part of the whole, help and version none of it. */
const DO: { readonly [name: string]: () => Promise<Command> } = {
  run: async () => (await import('./run-command')).runFile,
  check: async () => (await import('./check-command')).check,
  fmt: async () => (await import('./fmt-command')).fmt,
  test: async () => (await import('./test-command')).test,
  explain: async () => (await import('./explain-command')).explainFile,
  bisect: async () => (await import('./bisect-command')).bisect,
  compare: async () => (await import('./compare-command')).compareFiles,
  report: async () => (await import('./report-command')).reportFile,
  translate: async () => (await import('./translate-command')).translateAddress,
  state: async () => (await import('./state-command')).printState,
  lsp: async () => (await import('./lsp-command')).lsp,
};

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
    const act = await DO[name]();
    return await act(args, io);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    io.err(`${error.message}\n`);
    return 2;
  }
}
