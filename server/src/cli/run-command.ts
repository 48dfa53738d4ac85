/** `mmu run`: a scenario's runs, printed. */
import { ftrace, json, refusedSlots, tally, text } from '../api/engine';
import type { RunView } from '../api/engine';
import type { Arguments } from './commands';
import { INTERRUPTED, runInterruptibly } from './interruptible';
import type { Io } from './io';
import { nameOf } from './problems';
import { milliseconds, openingOf, openRunnable } from './script';

export const TIME_LIMIT = 60_000;

export async function runFile(args: Arguments, io: Io): Promise<number> {
  const [path] = args.positionals;
  const script = openRunnable(path, io, openingOf(args));
  if (!script) return 2;
  const { views, interrupted } = await runInterruptibly(script, milliseconds(args.options['time-limit'], TIME_LIMIT), io);
  const status = interrupted ? INTERRUPTED : exitStatus(views);
  const { held, failed } = tally(views.flatMap(({ record }) => record.outcomes));
  const format = args.options.format ?? 'text';
  if (format === 'json') {
    const brief = args.options.brief === true;
    for (const piece of json({ file: nameOf(script.uri), uri: script.uri, views, held, failed, exitStatus: status, brief })) io.out(piece);
  } else {
    const lines =
      format === 'ftrace'
        ? ftrace(views)
        : text(views, { colors: io.colors, width: io.width, journal: args.options.brief !== true, entries: args.options.entries === true });
    for (const line of lines) io.out(`${line}\n`);
  }
  for (const { record } of views) {
    if (record.ended.how === 'failed') io.err(`mmu: ${record.program.name}: the engine failed: ${record.ended.message}\n`);
  }
  return status;
}

/** 0 all expectations hold, 1 one fails (or the engine does, or a declared slot is refused), 3 a budget is exceeded. */
export function exitStatus(views: readonly RunView[]): number {
  let status = 0;
  for (const { record } of views) {
    if (record.ended.how === 'budget') return 3;
    if (record.ended.how !== 'done' || tally(record.outcomes).failed + refusedSlots(record.outcomes).length > 0) status = 1;
  }
  return status;
}
