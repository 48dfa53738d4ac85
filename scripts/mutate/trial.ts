/** Puts one mutant to the tests that reach it, the near and quick ones first. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Checkout } from './checkout';
import { runMocha } from './mocha';
import type { Mutant } from './mutants';
import type { TestFile } from './reach';

export type Verdict =
  /** `by`: the test, or the type checker. */
  | { readonly kind: 'noticed'; readonly by: string }
  | { readonly kind: 'survived' }
  /** No test runs the line. */
  | { readonly kind: 'unreached' };

/** Milliseconds of tests started together: first a few, to be soon done with what is noticed at once. */
const PORTIONS = [4_000, 20_000];
/** A run that takes so many times as long as alone, and a while for the machine to be busy with something else, does not end. */
const PATIENCE = { factor: 8, extra: 60_000 };

export interface TrialOptions {
  /** Seconds of tests, as they take alone, at most. */
  readonly seconds: number;
  /** Suites in hosts too, for mutants of the client. */
  readonly hosts: boolean;
}

export async function tryMutant(
  checkout: Checkout,
  mutant: Mutant,
  tests: readonly TestFile[],
  { seconds, hosts }: TrialOptions,
): Promise<Verdict> {
  return checkout.with(mutant, async () => {
    const reaching = tests
      .filter(({ lines }) => lines.get(mutant.file)?.has(mutant.line))
      .sort((a, b) => cost(a, mutant) - cost(b, mutant));
    for (const portion of portions(reaching, seconds * 1000)) {
      const limit = PATIENCE.factor * portion.reduce((sum, { milliseconds }) => sum + milliseconds, 0) + PATIENCE.extra;
      const files = portion.map(({ path }) => path);
      const { failed } = await runMocha(checkout.root, files, { bail: true, limit, require: checkout.setup });
      if (failed.length > 0) return { kind: 'noticed', by: failed[0] };
    }
    const suite = hosts ? hostSuite(mutant.file) : null;
    if (suite !== null && !(await passes(checkout, suite))) return { kind: 'noticed', by: suite.join(' ') };
    if (reaching.length === 0 && suite === null) return { kind: 'unreached' };
    if (!(await passes(checkout, TYPES))) return { kind: 'noticed', by: 'the type checker' };
    return { kind: 'survived' };
  });
}

/** Its time, less if it stands near the mutant by its path. */
function cost({ path, milliseconds }: TestFile, { file }: Mutant): number {
  const words = new Set(file.replace(/\.ts$/, '').split(/[/-]/));
  const shared = path
    .replace(/\.test\.ts$/, '')
    .split(/[/-]/)
    .filter((word) => words.has(word)).length;
  return milliseconds / 4 ** shared;
}

/** @param all milliseconds of all of them; at least one test is run */
function portions(tests: readonly TestFile[], all: number): TestFile[][] {
  const found: TestFile[][] = [];
  let at = 0;
  let left = all;
  for (const most of [...PORTIONS, Infinity]) {
    const portion: TestFile[] = [];
    for (let sum = 0; at < tests.length && (portion.length === 0 || sum + tests[at].milliseconds <= Math.min(most, left)); at++) {
      sum += tests[at].milliseconds;
      portion.push(tests[at]);
    }
    left -= portion.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
    if (portion.length > 0) found.push(portion);
    if (left <= 0) break;
  }
  return found;
}

const TYPES = ['node_modules/typescript/bin/tsc', '--noEmit', '--incremental', '--tsBuildInfoFile', 'mutate.tsbuildinfo'];

/** The suite of a host that runs what no unit test does. */
function hostSuite(file: string): string[] | null {
  if (file.startsWith('client/webview/')) return ['test/webview/run.mjs'];
  if (file.startsWith('client/src/')) return ['test/vscode/run.mjs', 'node', 'ui'];
  return null;
}

/** Does a program of the checkout end well? Suites of a host are built first. */
async function passes({ root }: Checkout, [script, ...args]: readonly string[]): Promise<boolean> {
  if (script.startsWith('test/') && (await statusOf(root, [join(root, 'scripts/build.mjs')])) !== 0) return false;
  return (await statusOf(root, [join(root, script), ...args])) === 0;
}

function statusOf(root: string, args: readonly string[]): Promise<number> {
  return new Promise((resolve) => {
    spawn(process.execPath, args, { cwd: root, stdio: 'ignore' }).on('close', (status) => resolve(status ?? 1));
  });
}
