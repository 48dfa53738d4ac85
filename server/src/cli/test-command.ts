/** `mmu test`: every scenario's expectations, a line each, and a summary. */
import { endedText, expectationText, palette, refusedSlots, resultText } from '../api/engine';
import type { Palette, RunView } from '../api/engine';
import { plural } from '../events/wording';
import type { Arguments } from './commands';
import { INTERRUPTED, runInterruptibly } from './interruptible';
import { findScenarios } from './files';
import { InputError } from './io';
import type { Io } from './io';
import { nameOf } from './problems';
import { exitStatus, TIME_LIMIT } from './run-command';
import { milliseconds, openChecked, openingOf } from './script';

interface Sum {
  held: number;
  failed: number;
  broken: number;
}

export async function test(args: Arguments, io: Io): Promise<number> {
  const paths = args.positionals.length > 0 ? args.positionals : ['.'];
  const paint = palette(io.colors);
  const sum: Sum = { held: 0, failed: 0, broken: 0 };
  let status = 0;
  const files = findScenarios(paths, (message) => {
    io.err(`${message}\n`);
    status = 2;
  });
  if (files.length === 0 && status === 0) throw new InputError(`mmu test: no .mmu file in ${paths.join(', ')}`);
  const timeLimit = milliseconds(args.options['time-limit'], TIME_LIMIT);
  const opened = openingOf(args);
  // A folder that the user names is looked into as a whole.
  const opening = { ...opened, allowed: [...opened.allowed, ...paths.filter((path) => path !== '-')] };
  for (const file of files) {
    const script = openChecked(file, io, opening);
    if (!script) {
      sum.broken++;
      io.out(`${paint.bad('✗')} ${file === '-' ? '<stdin>' : file}: has errors\n`);
      status = worse(status, 2);
      continue;
    }
    const { views, interrupted } = await runInterruptibly(script, timeLimit, io);
    for (const view of views) printExpectations(view, args.options.failures === true, sum, paint, io);
    status = interrupted ? INTERRUPTED : worse(status, exitStatus(views));
    if (interrupted) break;
  }
  const verdict = `${sum.held} passed, ${sum.failed} failed`;
  const broken = sum.broken > 0 ? `, ${plural(sum.broken, 'file')} with errors` : '';
  io.out(`${status === 0 ? paint.good(verdict) : paint.bad(verdict + broken)} in ${plural(files.length, 'file')}\n`);
  return status;
}

/** Of two exit statuses the one that says more: wrong input, then a failure, then a budget. */
function worse(one: number, other: number): number {
  const order = [0, 3, 1, 2];
  return order.indexOf(one) >= order.indexOf(other) ? one : other;
}

function printExpectations(view: RunView, onlyFailures: boolean, sum: Sum, paint: Palette, io: Io): void {
  const { record } = view;
  const at = (origin: number): string => {
    const place = view.statement(origin);
    return place ? `${nameOf(place.uri)}:${place.range.start.line + 1}` : record.program.name;
  };
  for (const { origin, result } of refusedSlots(record.outcomes)) {
    sum.failed++;
    io.out(
      `${paint.bad('✗')} ${paint.faint(`${at(origin)} ${record.program.name}:`)} ${resultText(result)}${result.kind === 'error' ? `: ${result.why}` : ''}\n`,
    );
  }
  for (const outcome of record.outcomes) {
    const { origin, result } = outcome;
    if (result.kind !== 'expectation') continue;
    if (result.holds) sum.held++;
    else sum.failed++;
    if (result.holds && onlyFailures) continue;
    const where = at(origin);
    const mark = result.holds ? paint.good('✓') : paint.bad('✗');
    const got = result.holds ? '' : paint.bad(`: got ${result.got}`);
    io.out(`${mark} ${paint.faint(`${where} ${record.program.name}:`)} ${expectationText(view, outcome)}${got}\n`);
  }
  if (record.ended.how === 'done' || record.ended.how === 'not-started') return;
  sum.failed++;
  io.out(`${paint.bad('✗')} ${record.program.name}: ${endedText(record.ended)}\n`);
}
