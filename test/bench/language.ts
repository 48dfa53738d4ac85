/**
 * `npm run bench:language`: what texts cost to parse, to check and to lower: the samples, and 1,000, 10,000 and 100,000 lines.
 *
 * `--baseline DIR` measures another checkout of the project beside it (`git worktree add DIR COMMIT`), in the same process and
 * in rounds that alternate; the parser written by hand is in commit ca4d2e2. `--rounds N` (at least 5), `--lines N` for one size.
 * CPU time; the median of the rounds, and of the rounds' ratios.
 */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import type { analyze } from '../../server/src/language/analysis';
import type { parse } from '../../server/src/language/syntax/parse';

const ROOT = join(fileURLToPath(import.meta.url), '..', '..', '..');
const CACHE = join(ROOT, '.cache', 'bench');

interface Language {
  readonly parse: typeof parse;
  /** Of older checkouts, analysis lowers as well and there is no `lower`. */
  readonly analyze: (
    ...args: Parameters<typeof analyze>
  ) => Omit<ReturnType<typeof analyze>, 'lower'> & Partial<ReturnType<typeof analyze>>;
}

async function language(root: string, name: string): Promise<Language> {
  const from = (file: string): string => JSON.stringify(join(root, 'server', 'src', 'language', file));
  const contents = `export { parse } from ${from('syntax/parse')}; export { analyze } from ${from('analysis')};`;
  const outfile = join(CACHE, `language-${name}.cjs`);
  await build({
    stdin: { contents, resolveDir: ROOT },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    outfile,
    logLevel: 'error',
    nodePaths: [join(ROOT, 'node_modules')],
  });
  return createRequire(import.meta.url)(outfile) as Language;
}

/** A scenario of about that many lines: half machine, half script, as files of traces are. */
function scenario(lines: number): string {
  const half = Math.floor(lines / 2);
  const page = (index: number): string => `0x${(0x40_0000 + index * 0x1000).toString(16)}`;
  const mappings = Array.from({ length: half }, (_, i) => `    ${page(i)} +4K -> ${page(i)} rw user${i % 3 === 0 ? ' not dirty' : ''}`);
  const acts = Array.from({ length: half }, (_, i) => {
    if (i % 5 === 1) return `  write ${page(i)} + 8 = ${i}  size 4  expect ok`;
    if (i % 5 === 2) return `  cr3 = kernel`;
    if (i % 5 === 3) return `  kernel[${page(i)}].accessed = no`;
    return `  user read ${page(i)}  expect ok, gpa ${page(i)}`;
  });
  return [
    'host { memory 4G }',
    'vm guest {',
    '  slot 0 { gpa 0  size 2G }',
    '  tables kernel at 0x7000_0000 {',
    ...mappings,
    '  }',
    '  vcpu { cr3 kernel }',
    '}',
    'run guest under ept {',
    ...acts,
    '}',
    '',
  ].join('\n');
}

/** The samples, each a text of its own as people write them. */
function samples(): string[] {
  const folder = join(ROOT, 'samples');
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.mmu'));
  return names.map((name) => readFileSync(join(folder, name), 'utf8'));
}

type Times = Map<string, number[]>;

function timed(times: Times, what: string, work: () => unknown): void {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  times.set(what, [...(times.get(what) ?? []), (user + system) / 1000]);
}

function round(side: Language, times: Times, texts: readonly string[]): void {
  timed(times, 'parse', () => texts.forEach((text) => side.parse(text)));
  const analyses: ReturnType<Language['analyze']>[] = [];
  const before = process.cpuUsage();
  timed(times, 'parse, check', () => texts.forEach((text) => analyses.push(side.analyze(text, 'file:///bench.mmu', { read: () => null }))));
  for (const analysis of analyses) analysis.lower?.();
  const { user, system } = process.cpuUsage(before);
  times.set('all', [...(times.get('all') ?? []), (user + system) / 1000]);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { baseline: { type: 'string' }, rounds: { type: 'string' }, lines: { type: 'string' } } });
  const rounds = Math.max(5, Number(values.rounds ?? 9));
  mkdirSync(CACHE, { recursive: true });
  const now = await language(ROOT, 'now');
  const other = values.baseline === undefined ? null : await language(resolve(values.baseline), 'baseline');
  const sizes = values.lines === undefined ? [1_000, 10_000, 100_000] : [Number(values.lines)];
  for (const texts of [samples(), ...sizes.map((size) => [scenario(size)])]) {
    const errors = texts.reduce((sum, text) => sum + now.parse(text).errors.length, 0);
    if (errors > 0) throw new Error(`the texts have ${errors} errors`);
    const lines = texts.reduce((sum, text) => sum + text.split('\n').length - 1, 0);
    const mine: Times = new Map();
    const theirs: Times = new Map();
    const warm = Math.ceil(100_000 / lines);
    for (let i = 0; i < warm; i++) for (const side of [now, other]) if (side) round(side, new Map(), texts);
    for (let i = 0; i < rounds; i++) {
      const sides: [Language | null, Times][] = [
        [now, mine],
        [other, theirs],
      ];
      for (const [side, times] of i % 2 === 0 ? sides : sides.reverse()) if (side) round(side, times, texts);
    }
    for (const [what, all] of mine) {
      const against = theirs.get(what);
      const ratios = against?.map((theirTime, i) => all[i]! / theirTime);
      const beside = against && ratios ? `  beside ${median(against).toFixed(1)} ms  ratio ${median(ratios).toFixed(2)}` : '';
      console.log(`${String(lines).padStart(7)} lines  ${what.padEnd(13)} ${median(all).toFixed(1).padStart(8)} ms${beside}`);
    }
  }
}

await main();
