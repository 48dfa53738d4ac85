/**
 * `npm run mutate`: makes random small mistakes in the sources, one at a time, and says which of them no test notices. Exit status 1 when
 * fewer than 90 % are noticed, 2 for wrong usage. A test that fails without any mutant is left out, and named.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Checkout, projectFiles } from './mutate/checkout';
import { choose } from './mutate/choose';
import { whyEquivalent } from './mutate/equivalent';
import { mutantsOf } from './mutate/mutants';
import type { Mutant } from './mutate/mutants';
import { FailsByItself, Reach } from './mutate/reach';
import type { TestFile } from './mutate/reach';
import { tryMutant } from './mutate/trial';
import type { Verdict } from './mutate/trial';

const ROOT = resolve(import.meta.dirname, '..');

const USAGE = `usage: npm run mutate -- [--count N] [--seed S] [--minutes M] [--seconds T] [--jobs J] [--hosts] [PATH...]
  PATH       only files whose path begins so: server/src/engine/x86, client/webview; default all of server/src and client
  --count    mutants; default 200
  --seed     which ones; default 1
  --minutes  starts no mutant after so long; default 60
  --seconds  of tests for a mutant, the near and quick ones first; default 120. What takes longer to be noticed has survived
  --jobs     at the same time; default 2
  --hosts    also runs the suites in a browser and in VS Code, for mutants of the client`;

/** Of mutants that are not equivalent. */
const ENOUGH = 0.9;

interface Options {
  readonly paths: readonly string[];
  readonly count: number;
  readonly seed: number;
  readonly minutes: number;
  readonly seconds: number;
  readonly jobs: number;
  readonly hosts: boolean;
}

class UsageError extends Error {}

function optionsOf(): Options | null {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      count: { type: 'string', default: '200' },
      seed: { type: 'string', default: '1' },
      minutes: { type: 'string', default: '60' },
      seconds: { type: 'string', default: '120' },
      jobs: { type: 'string', default: '2' },
      hosts: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return null;
  const number = (name: 'count' | 'seed' | 'minutes' | 'seconds' | 'jobs'): number => {
    const value = Number(values[name]);
    if (!Number.isInteger(value) || value < (name === 'seed' ? 0 : 1)) throw new UsageError(`--${name} ${values[name]} is not a number`);
    return value;
  };
  const paths = positionals.length > 0 ? positionals : ['server/src/', 'client/'];
  return {
    paths,
    count: number('count'),
    seed: number('seed'),
    minutes: number('minutes'),
    seconds: number('seconds'),
    jobs: number('jobs'),
    hosts: values.hosts,
  };
}

/** Does all of `work`, so many at a time, each worker with what `start` gives it. */
async function inParallel<T, W>(work: readonly T[], workers: readonly W[], what: (item: T, worker: W) => Promise<void>): Promise<void> {
  const left = [...work];
  const next = async (worker: W): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await what(item, worker);
  };
  await Promise.all(workers.map(next));
}

async function main(options: Options): Promise<number> {
  const files = projectFiles(ROOT);
  const sources = files.filter((file) => file.endsWith('.ts') && options.paths.some((path) => file.startsWith(path)));
  const mutants = sources.flatMap((file) => mutantsOf(file, readFileSync(join(ROOT, file), 'utf8')));
  const chosen = choose(mutants, options.count, options.seed);
  if (chosen.length === 0) throw new UsageError(`nothing to change in ${options.paths.join(', ')}`);
  console.log(`${chosen.length} of ${mutants.length} mutants of ${sources.length} files, seed ${options.seed}`);
  const checkouts = Array.from({ length: options.jobs }, () => Checkout.copyOf(ROOT));
  try {
    const tests = await measured(files.filter(isUnitTest), checkouts);
    return await judge(chosen, tests, checkouts, options);
  } finally {
    for (const checkout of checkouts) checkout.remove();
  }
}

const isUnitTest = (file: string): boolean => /^test\/(?!vscode\/|webview\/).*\.test\.ts$/.test(file);

async function measured(files: readonly string[], checkouts: readonly Checkout[]): Promise<TestFile[]> {
  const reach = new Reach(ROOT);
  const tests: TestFile[] = [];
  try {
    await inParallel(files, checkouts, async (file, { root }) => {
      try {
        tests.push(await reach.measure(file, root));
      } catch (error) {
        if (!(error instanceof FailsByItself)) throw error;
        console.error(`left out: ${error.message}`);
      }
    });
  } finally {
    reach.save();
  }
  console.log(`${tests.length} test files, ${Math.round(tests.reduce((sum, { milliseconds }) => sum + milliseconds, 0) / 1000)} s`);
  return tests;
}

async function judge(
  chosen: readonly Mutant[],
  tests: readonly TestFile[],
  checkouts: readonly Checkout[],
  options: Options,
): Promise<number> {
  const end = Date.now() + options.minutes * 60_000;
  const survivors: string[] = [];
  const count = { noticed: 0, survived: 0, equivalent: 0, left: 0 };
  await inParallel(chosen, checkouts, async (mutant, checkout) => {
    const line = checkout.read(mutant.file).split('\n')[mutant.line - 1];
    const why = whyEquivalent(mutant, line);
    if (why !== null) {
      count.equivalent++;
      console.log(`= ${told(mutant)}  equivalent: ${why}`);
    } else if (Date.now() > end) count.left++;
    else {
      const started = Date.now();
      const verdict = await tryMutant(checkout, mutant, tests, options);
      count[verdict.kind === 'noticed' ? 'noticed' : 'survived']++;
      const said = `${told(mutant)}  ${outcome(verdict)}`;
      console.log(`${verdict.kind === 'noticed' ? '✓' : '✗'} ${said} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
      if (verdict.kind !== 'noticed') survivors.push(`${said}\n    ${line.trim()}`);
    }
  });
  if (survivors.length > 0) console.log(`\nNot noticed:\n${survivors.sort().join('\n')}`);
  if (count.left > 0) console.log(`\n${count.left} not tried: time was up`);
  const share = count.noticed / Math.max(count.noticed + count.survived, 1);
  console.log(
    `\n${count.noticed} noticed, ${count.survived} survived, ${count.equivalent} equivalent: ${(share * 100).toFixed(1)} % noticed`,
  );
  return share >= ENOUGH ? 0 : 1;
}

function told({ file, line, column, kind, original, replacement }: Mutant): string {
  const short = (text: string): string => text.replace(/\s+/g, ' ').slice(0, 60);
  return `${file}:${line}:${column} ${kind}: ${short(original)} → ${short(replacement) || '(nothing)'}`;
}

function outcome(verdict: Verdict): string {
  if (verdict.kind === 'noticed') return `noticed by: ${verdict.by}`;
  return verdict.kind === 'unreached' ? 'no test runs the line' : 'survived';
}

try {
  const options = optionsOf();
  if (options === null) console.log(USAGE);
  process.exitCode = options === null ? 0 : await main(options);
} catch (error) {
  if (!(error instanceof UsageError || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS'))) throw error;
  console.error(`${(error as Error).message}\n${USAGE}`);
  process.exitCode = 2;
}
