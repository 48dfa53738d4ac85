/** `mmu state`: the machine at a point of the script, as a tree. */
import { positionAtLine, stateText, stateTree } from '../api/engine';
import type { StateTree } from '../api/engine';
import type { Arguments } from './commands';
import { INTERRUPTED, runInterruptibly } from './interruptible';
import { InputError } from './io';
import type { Io } from './io';
import { TIME_LIMIT } from './run-command';
import { lineOf, openingOf, openRunnable } from './script';

export async function printState(args: Arguments, io: Io): Promise<number> {
  const { at, node, under, format } = args.options;
  const [path] = args.positionals;
  const line = lineOf(args, 'at');
  const id = typeof node === 'string' ? node : '';
  const script = openRunnable(path, io, openingOf({ ...args, options: { ...args.options, mmu: under } }));
  if (!script) return 2;
  const { views, interrupted } = await runInterruptibly(script, TIME_LIMIT, io);
  const states: { readonly run: string; readonly nodes: readonly StateTree[] }[] = [];
  for (const view of views) {
    const position = line === null ? view.record.length : positionAtLine(view, script.uri, line - 1);
    const nodes = stateTree(view, position, id);
    if (nodes) states.push({ run: view.record.program.name, nodes });
  }
  if (id !== '' && views.length > 0 && states.length === 0)
    throw new InputError(`mmu state: no node ${id}${at === undefined ? '' : ` at line ${line}`}; --format json says what they are called`);
  if (format === 'json') io.out(`${JSON.stringify({ version: 1, states }, null, 2)}\n`);
  else for (const { run, nodes } of states) for (const text of [run, ...stateText(nodes, '  '), '']) io.out(`${text}\n`);
  return interrupted ? INTERRUPTED : 0;
}
