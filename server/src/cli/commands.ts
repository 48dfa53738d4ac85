/** The commands of `mmu`: what each takes and says of itself. Help and parsing both come from here. */
import { parseArgs } from 'node:util';
import { KERNELS } from '../engine/program';
import { InputError } from './io';

interface OptionSpec {
  readonly type: 'string' | 'boolean';
  /** One letter that stands for it. */
  readonly short?: string;
  /** What stands after the option in help, as `KIND`. */
  readonly value?: string;
  readonly choices?: readonly string[];
  /** It can be given several times. */
  readonly multiple?: true;
  readonly about: string;
}

interface CommandSpec {
  readonly name: string;
  /** Positional arguments in help, as `FILE…`. */
  readonly takes: string;
  /** Fewest and most positional arguments. */
  readonly least: number;
  readonly most: number;
  readonly about: string;
  /** Further lines of help. */
  readonly more: readonly string[];
  readonly options: { readonly [name: string]: OptionSpec };
}

const MMU: OptionSpec = {
  type: 'string',
  value: 'KIND',
  choices: ['soft', 'ept', 'npt'],
  about: 'run under this kind of MMU virtualization',
};
const KERNEL: OptionSpec = {
  type: 'string',
  value: 'VERSION',
  choices: Object.keys(KERNELS),
  about: 'run with the KVM of this kernel',
};
const ALLOW_DIR: OptionSpec = {
  type: 'string',
  value: 'DIR',
  multiple: true,
  about: 'let import and load read from this folder too, beside that of the file',
};
const LIMIT: OptionSpec = { type: 'string', value: 'SECONDS', about: 'time that all runs may take (60)' };

export const COMMANDS: readonly CommandSpec[] = [
  {
    name: 'run',
    takes: 'FILE',
    least: 1,
    most: 1,
    about: 'Run a scenario and print its outcomes and journal',
    more: ['Exit status: 0 all expectations hold, 1 one fails, 2 the input is wrong, 3 a budget is exceeded.'],
    options: {
      mmu: MMU,
      kernel: KERNEL,
      format: {
        type: 'string',
        value: 'FORMAT',
        choices: ['text', 'json', 'ftrace'],
        about: 'text (default), json (schema/run.schema.json), ftrace',
      },
      brief: { type: 'boolean', about: 'outcomes only, without the journal' },
      entries: { type: 'boolean', about: 'text: a line for each entry that the processor reads, not one for a walk' },
      'allow-dir': ALLOW_DIR,
      'time-limit': LIMIT,
    },
  },
  {
    name: 'check',
    takes: 'FILE…',
    least: 1,
    most: Infinity,
    about: 'Report what is wrong in scenarios, without running them',
    more: ['Diagnostics are written as `file:line:column: severity: message [code]`.', 'Exit status: 0 no errors, 2 errors.'],
    options: { 'allow-dir': ALLOW_DIR },
  },
  {
    name: 'fmt',
    takes: 'FILE…',
    least: 1,
    most: Infinity,
    about: 'Format scenarios in place; `-` formats standard input to standard output',
    more: ['A file with syntax errors is left as it is. Exit status: 0, with --check 1 when a file would change, 2 errors.'],
    options: { check: { type: 'boolean', about: 'change nothing; name the files that would change' } },
  },
  {
    name: 'test',
    takes: '[PATH…]',
    least: 0,
    most: Infinity,
    about: 'Run the scenarios in files and folders, a line for each expectation',
    more: ['Without a path: the current folder. Exit status as for run; the worst of all files.'],
    options: {
      mmu: MMU,
      kernel: KERNEL,
      failures: { type: 'boolean', about: 'print failed expectations only' },
      'allow-dir': ALLOW_DIR,
      'time-limit': LIMIT,
    },
  },
  {
    name: 'bisect',
    takes: 'FILE',
    least: 1,
    most: 1,
    about: 'Run a scenario with one kernel after the other and name that with which an expectation changes, and the rule that changes it',
    more: ['Exit status: 0 none changes, 1 one does, 2 the input is wrong, 3 a budget is exceeded.'],
    options: { mmu: MMU, 'allow-dir': ALLOW_DIR, 'time-limit': LIMIT },
  },
  {
    name: 'compare',
    takes: 'FILE',
    least: 1,
    most: 1,
    about:
      'Run a scenario under several kinds or kernels, or two scenarios, and show what differs, statement by statement, and their totals',
    more: [
      'Without options: the runs of each run block, as its own under and with say.',
      'Exit status: 0 no difference, 1 something differs, 2 the input is wrong, 3 a budget is exceeded.',
    ],
    options: {
      under: { type: 'string', value: 'KINDS', about: 'under each of these kinds of MMU, as soft,ept' },
      kernel: { type: 'string', value: 'VERSIONS', about: 'with the KVM of each of these kernels, as 6.1,6.12' },
      with: { type: 'string', value: 'FILE', about: 'beside the runs of this scenario' },
      format: { type: 'string', value: 'FORMAT', choices: ['text', 'json'], about: 'text (default), json (schema/compare.schema.json)' },
      'allow-dir': ALLOW_DIR,
      'time-limit': LIMIT,
    },
  },
  {
    name: 'report',
    takes: 'FILE',
    least: 1,
    most: 1,
    about:
      'Run a scenario and write a page of HTML to take away: outcomes, figures of walks, steps and totals, in one file without a script',
    more: ['Exit status as for run.'],
    options: {
      output: { type: 'string', short: 'o', value: 'PAGE', about: 'the file to write (default: standard output)' },
      line: { type: 'string', value: 'N', about: 'draw the walk of the statement at this line in any case' },
      mmu: MMU,
      kernel: KERNEL,
      'allow-dir': ALLOW_DIR,
      'time-limit': LIMIT,
    },
  },
  {
    name: 'translate',
    takes: 'FILE ADDRESS',
    least: 2,
    most: 2,
    about: 'Show the way of an address: every entry read, slot, host-virtual and host-physical address',
    more: ['ADDRESS is a linear address of the guest (0x40_0123), or guest-physical as gpa:0x5000.'],
    options: {
      line: { type: 'string', value: 'N', about: 'just before the statement at this line (default: at the end)' },
      vm: { type: 'string', value: 'NAME', about: 'of this VM (default: that of the run)' },
      access: { type: 'string', value: 'ACCESS', about: "judge this access, as 'user write' (default: the first that is allowed)" },
      format: { type: 'string', value: 'text|json|svg', about: 'text (default), json, or svg: the figure of the trace panel' },
      mmu: MMU,
      kernel: KERNEL,
      'allow-dir': ALLOW_DIR,
    },
  },
  {
    name: 'state',
    takes: 'FILE',
    least: 1,
    most: 1,
    about: 'Show the machine at a point of a scenario: page tables, registers, slots, TLB, shadow pages, counters',
    more: ['As a tree; neighbours that map consecutive pages are one line.'],
    options: {
      at: { type: 'string', value: 'LINE', about: 'just before the statement at this line (default: at the end)' },
      node: { type: 'string', value: 'PATH', about: 'only what is inside this node, as tables/own.0.0/0' },
      format: { type: 'string', value: 'FORMAT', choices: ['text', 'json'], about: 'text (default), json (schema/state.schema.json)' },
      under: { ...MMU, about: 'run under this kind of MMU virtualization' },
      kernel: KERNEL,
      'allow-dir': ALLOW_DIR,
    },
  },
  {
    name: 'explain',
    takes: 'FILE',
    least: 1,
    most: 1,
    about: 'Explain a recorded trace of KVM: why it loops, why there are so many exits, who zapped what',
    more: [
      'FILE is text of ftrace, of trace-cmd report or of perf script, packed by gzip or not, or a trace.dat where trace-cmd is installed.',
      'Exit status: 0 explained, 1 only a part could be read, 2 it is no trace of KVM.',
    ],
    options: {
      format: { type: 'string', value: 'FORMAT', choices: ['text', 'json'], about: 'text (default), json (schema/explain.schema.json)' },
      brief: { type: 'boolean', about: 'text: without the list of episodes' },
      episodes: { type: 'string', value: 'N', about: 'list so many folded episodes, from both ends of the trace (200)' },
      lines: { type: 'string', value: 'A-B', about: 'list those that begin in these lines' },
    },
  },
  {
    name: 'lsp',
    takes: '',
    least: 0,
    most: 0,
    about: 'Serve the Language Server Protocol',
    more: [],
    options: { stdio: { type: 'boolean', about: 'over standard input and output (default)' } },
  },
];

export interface Arguments {
  readonly command: CommandSpec;
  readonly positionals: readonly string[];
  readonly options: { readonly [name: string]: string | boolean | readonly string[] | undefined };
}

/** @throws InputError for what the command does not take. */
export function parseCommand(command: CommandSpec, args: readonly string[]): Arguments & { readonly help: boolean } {
  const options = Object.fromEntries(
    Object.entries(command.options).map(([name, { type, multiple, short }]) => [
      name,
      { type, multiple: multiple === true, ...(short !== undefined && { short }) },
    ]),
  );
  let parsed;
  try {
    parsed = parseArgs({
      args: [...args],
      options: { ...options, help: { type: 'boolean', short: 'h' } },
      allowPositionals: true,
      strict: true,
    });
  } catch (error) {
    throw new InputError(`mmu ${command.name}: ${(error as Error).message.split('. ')[0]}`);
  }
  const { positionals } = parsed;
  const values = parsed.values as Arguments['options'];
  if (values.help) return { command, positionals, options: values, help: true };
  if (positionals.length < command.least) throw new InputError(`mmu ${command.name}: needs ${command.takes}`);
  if (positionals.length > command.most)
    throw new InputError(`mmu ${command.name}: takes ${command.takes || 'no argument'}, not ${positionals[command.most]}`);
  for (const [name, { choices }] of Object.entries(command.options)) {
    const value = values[name];
    if (choices && typeof value === 'string' && !choices.includes(value)) {
      throw new InputError(`mmu ${command.name}: --${name} takes ${choices.join(', ')}, not ${value}`);
    }
  }
  return { command, positionals, options: values, help: false };
}

export function commandHelp(command: CommandSpec): string {
  const options = [...Object.entries(command.options), ['help', { type: 'boolean', about: 'this text' }] as [string, OptionSpec]];
  const heads = options.map(([name, { value, short }]) => `--${name}${value ? ` ${value}` : ''}${short ? `, -${short}` : ''}`);
  const widest = Math.max(...heads.map((head) => head.length));
  return [
    `usage: mmu ${command.name}${Object.keys(command.options).length > 0 ? ' [options]' : ''} ${command.takes}`.trimEnd(),
    '',
    `${command.about}.`,
    ...command.more,
    '',
    ...options.map(
      ([, { about, choices }], i) =>
        `  ${heads[i].padEnd(widest)}  ${about}${choices && !about.includes(choices[0]) ? `: ${choices.join(', ')}` : ''}`,
    ),
    '',
  ].join('\n');
}

export function generalHelp(): string {
  const widest = Math.max(...COMMANDS.map(({ name, takes }) => name.length + takes.length + 1));
  return [
    'usage: mmu COMMAND [options] …',
    '',
    'Runs x86 memory-virtualization scenarios (.mmu) as KVM would: soft MMU, EPT, NPT and nested guests.',
    '',
    ...COMMANDS.map(({ name, takes, about }) => `  ${`${name} ${takes}`.trimEnd().padEnd(widest)}  ${about}`),
    '',
    '  --help, -h   this text; after a command, its own',
    '  --version    the version',
    '',
    'A FILE named - is standard input. Colours are used on a terminal unless NO_COLOR is set.',
    '',
  ].join('\n');
}
