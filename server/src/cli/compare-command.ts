/** `mmu compare`: runs of a script under several kinds or kernels, or of two scripts, beside each other. */
import { compareJson, compareRuns, comparisonLines, endedText, KERNELS, palette } from '../api/engine';
import type { ComparisonView, Kernel, MmuKind, Paint, Palette, RunView, TextLine } from '../api/engine';
import type { Arguments } from './commands';
import { INTERRUPTED, runInterruptibly } from './interruptible';
import { InputError } from './io';
import type { Io } from './io';
import { exitStatus, TIME_LIMIT } from './run-command';
import { milliseconds, openingOf, openRunnableText, scenarioText } from './script';

const KINDS: readonly MmuKind[] = ['soft', 'ept', 'npt'];

/** Runs of one way: a file under a kind with a kernel, as far as these are said. */
interface Way {
  readonly path: string;
  readonly text: string;
  readonly under?: MmuKind;
  readonly kernel?: Kernel;
}

export async function compareFiles(args: Arguments, io: Io): Promise<number> {
  const ways = waysOf(args, io);
  const end = performance.now() + milliseconds(args.options['time-limit'], TIME_LIMIT);
  const opening = openingOf(args);
  const all: { readonly way: Way; readonly views: readonly RunView[] }[] = [];
  let status = 0;
  for (const way of ways) {
    const script = openRunnableText(way.path, way.text, io, { ...opening, under: way.under, kernel: way.kernel });
    if (!script) return 2;
    const { views, interrupted } = await runInterruptibly(script, Math.max(1, end - performance.now()), io);
    if (interrupted) return INTERRUPTED;
    for (const { record } of views)
      if (record.ended.how !== 'done') io.err(`mmu compare: ${record.program.name}: ${endedText(record.ended)}\n`);
    if (exitStatus(views) === 3) status = 3;
    all.push({ way, views });
  }
  const comparisons = ways.length > 1 ? acrossWays(all) : withinScript(all[0].views);
  if (comparisons.length === 0) throw new InputError(`${fileOf(ways[0].path)}: one run only; say --under, --kernel or --with`);
  const differing = comparisons.reduce((sum, each) => sum + each.differing, 0);
  if (status === 0 && differing > 0) status = 1;
  if (args.options.format === 'json') {
    io.out(compareJson(comparisons, status));
    return status;
  }
  const paint = palette(io.colors);
  for (const comparison of comparisons) {
    for (const line of comparisonLines(comparison)) io.out(`${paintOf(line, paint)(cut(line.text, io.width))}\n`);
    io.out('\n');
  }
  return status;
}

/** Ways in which the script is run. @throws InputError for what is no list of kinds or kernels */
function waysOf({ positionals: [path], options }: Arguments, io: Io): Way[] {
  const kinds = listed('--under', options.under, KINDS) ?? [undefined];
  const kernels = listed('--kernel', options.kernel, Object.keys(KERNELS) as Kernel[]) ?? [undefined];
  const paths = typeof options.with === 'string' ? [path, options.with] : [path];
  const texts = paths.map((each) => ({ path: each, text: scenarioText(each, io) }));
  return texts.flatMap((each) => kinds.flatMap((under) => kernels.map((kernel) => ({ ...each, under, kernel }))));
}

function listed<T extends string>(name: string, option: Arguments['options'][string], known: readonly T[]): T[] | null {
  if (typeof option !== 'string') return null;
  const found = option.split(',').map((each) => each.trim() as T);
  const strange = found.find((each) => !known.includes(each));
  if (strange !== undefined) throw new InputError(`mmu compare: ${name} takes some of ${known.join(',')}, not ${strange}`);
  return [...new Set(found)];
}

/** Each run block with all its ways: those of the first that have counterparts in all others. */
function acrossWays(all: readonly { readonly way: Way; readonly views: readonly RunView[] }[]): ComparisonView[] {
  const fewest = Math.min(...all.map(({ views }) => views.length));
  return Array.from({ length: fewest }, (_, index) => {
    const runs = all.map(({ way, views }) => ({ view: views[index], label: labelOf(way, all) }));
    return compareRuns(runs);
  });
}

/** What tells a way from the others. */
function labelOf({ path, under, kernel }: Way, all: readonly { readonly way: Way }[]): string {
  const several = (of: (way: Way) => unknown): boolean => new Set(all.map(({ way }) => of(way))).size > 1;
  return [several((way) => way.path) && fileOf(path), several((way) => way.under) && under, several((way) => way.kernel) && kernel]
    .filter(Boolean)
    .join(' ');
}

/** The runs that the script itself asks for, by their run blocks. */
function withinScript(views: readonly RunView[]): ComparisonView[] {
  const blocks = new Map<string, RunView[]>();
  for (const view of views) {
    const block = view.record.program.name.split(' under ')[0];
    blocks.set(block, [...(blocks.get(block) ?? []), view]);
  }
  return [...blocks.values()].filter((each) => each.length > 1).map((each) => compareRuns(each.map((view) => ({ view }))));
}

function paintOf({ tone }: TextLine, paint: Palette): Paint {
  return { title: paint.title, alike: paint.faint, differs: paint.warn, detail: paint.address }[tone];
}

const fileOf = (path: string): string => (path === '-' ? '<stdin>' : path);

function cut(line: string, width: number): string {
  return width > 0 && line.length > width ? `${line.slice(0, width - 1)}…` : line;
}
