/**
 * `npm run kvm-traces -- [DIR|FILE…] [--expected DIR] [--digest DIR] [--out OUT] [--mode M,..] [--kernel K] [--order] [--verbose]`: plays guests that were
 * recorded under a real KVM through the engine, and compares what happened with the recordings. Exit status 0: all equal, or nothing
 * to compare with; 1: something differs or could not be run; 2: wrong usage.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { KERNELS, type Kernel } from '../server/src/engine/program';
import { compareLines, emptyComparison, OF_DIGESTS, readLines, TIERS } from './kvm-traces/compare';
import type { Comparison, Mismatch } from './kvm-traces/compare';
import { OWN } from './kvm-traces/cleaning';
import { readDigest } from './kvm-traces/digest';
import type { Digest } from './kvm-traces/digest';
import { Interpreter } from './kvm-traces/interpreter';
import type { Line } from './kvm-traces/lines';
import { isIntel, isMode, MODES } from './kvm-traces/mode';
import type { Mode } from './kvm-traces/mode';
import { isVmx, readScenario } from './kvm-traces/scenario';
import type { Scenario } from './kvm-traces/scenario';

const SAMPLE = resolve(import.meta.dirname, '../test/kvm-traces/recorded');

const USAGE = `usage: npm run kvm-traces -- [DIR|FILE...] [--expected DIR] [--digest DIR] [--out OUT] [--mode M,..] [--kernel K] [--order] [--verbose]
  DIR          folder of scenarios (*.json); default test/kvm-traces/recorded/scenarios
  --expected   folder of MODE/NAME.ndjson to compare with; default that of test/kvm-traces/recorded, when no DIR or FILE is given
  --digest     folder of NAME.txt: sptes bit by bit (tier R) and flushes of the TLB (tier F) are compared with these
  --out        writes what happened to OUT/MODE/NAME.ndjson
  --mode       ${MODES.join(', ')}; default all
  --kernel     ${Object.keys(KERNELS).join(', ')}: whose recordings they are; default 6.1
  --order      lists of tier C are compared as sequences, not as sets
  --verbose    shows every difference`;

class UsageError extends Error {}

interface Options {
  readonly kernel: Kernel;
  readonly out: string | null;
  readonly expected: string | null;
  readonly digest: string | null;
  readonly order: boolean;
  readonly verbose: boolean;
}

function main(): number {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      out: { type: 'string' },
      expected: { type: 'string' },
      digest: { type: 'string' },
      mode: { type: 'string', multiple: true },
      kernel: { type: 'string', default: '6.1' },
      order: { type: 'boolean', default: false },
      verbose: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const modes = values.mode === undefined ? MODES : values.mode.flatMap((each) => each.split(',')).map(modeOf);
  const paths = positionals.length > 0 ? positionals : [join(SAMPLE, 'scenarios')];
  const expected = values.expected ?? (positionals.length > 0 ? null : join(SAMPLE, 'expected'));
  if (expected !== null && !existsSync(expected)) throw new UsageError(`no folder ${expected}`);
  const files = paths.flatMap(scenarioFiles);
  if (files.length === 0) throw new UsageError('no scenario there');
  let failed = 0;
  const scenarios = files.flatMap((file): Scenario[] => {
    try {
      return [readScenario(readFileSync(file, 'utf8'))];
    } catch (error) {
      failed++;
      console.error(`${file}: ${messageOf(error)}`);
      return [];
    }
  });
  const kernel = kernelOf(values.kernel);
  const options = {
    kernel,
    out: values.out ?? null,
    expected,
    digest: values.digest ?? null,
    order: values.order,
    verbose: values.verbose,
  };
  const total = { matched: 0, compared: 0 };
  for (const mode of modes) {
    const { failures, comparison } = runMode(scenarios, mode, options);
    failed += failures;
    for (const tier of TIERS) {
      total.matched += comparison.tiers[tier].matched;
      total.compared += comparison.tiers[tier].compared;
    }
  }
  if (expected !== null) {
    if (total.compared === 0) throw new UsageError(`nothing recorded in ${expected} for these scenarios and modes`);
    console.log(`${total.matched} passed, ${total.compared - total.matched} failed`);
  }
  return failed === 0 && total.matched === total.compared ? 0 : 1;
}

/** Plays the scenarios in one mode; `failures` is how many could not be run. */
function runMode(scenarios: readonly Scenario[], mode: Mode, options: Options): { failures: number; comparison: Comparison } {
  let lines = 0;
  let failures = 0;
  const comparison = emptyComparison();
  const runnable = scenarios.filter((scenario) => scenario.nested === null || isVmx(scenario) === isIntel(mode));
  for (const scenario of runnable) {
    const done: Line[] = [];
    try {
      for (const line of new Interpreter(scenario, mode, options.kernel).lines()) done.push(line);
    } catch (error) {
      failures++;
      console.error(`${mode} ${scenario.name}: ${messageOf(error)}`);
    }
    lines += done.length;
    if (options.out !== null) write(join(options.out, mode), scenario.name, done);
    const recorded = options.expected === null ? null : join(options.expected, mode, `${scenario.name}.ndjson`);
    if (recorded !== null && existsSync(recorded))
      compareLines(
        readLines(readFileSync(recorded, 'utf8'), digestOf(options.digest, scenario.name, mode)),
        done,
        { mode, own: OWN[scenario.schema], vmx: isVmx(scenario), order: options.order },
        comparison,
      );
  }
  const judged = TIERS.filter((tier) => OF_DIGESTS[tier] === undefined || options.digest !== null);
  const tiers = judged.map((tier) => `  ${tier} ${comparison.tiers[tier].matched}/${comparison.tiers[tier].compared}`).join('');
  const played = `${mode}: ${runnable.length - failures} of ${runnable.length} scenarios, ${lines} operations`;
  console.log(`${played}${options.expected === null ? '' : tiers}${differing(comparison.mismatches)}`);
  if (options.verbose) for (const mismatch of comparison.mismatches) console.log(told(mismatch));
  return { failures, comparison };
}

function digestOf(folder: string | null, name: string, mode: Mode): Digest | undefined {
  const digest = folder === null ? '' : join(folder, `${name}.txt`);
  return existsSync(digest) ? readDigest(readFileSync(digest, 'utf8')).get(mode) : undefined;
}

/** How often which fields differ. */
function differing(mismatches: readonly Mismatch[]): string {
  const counts = new Map<string, number>();
  for (const { tier, field } of mismatches) counts.set(`${tier}.${field ?? '-'}`, (counts.get(`${tier}.${field ?? '-'}`) ?? 0) + 1);
  return counts.size === 0 ? '' : `   differing: ${[...counts].map(([name, count]) => `${name} ${count}`).join(', ')}`;
}

function told({ scenario, op, text, tier, field, recorded, actual }: Mismatch): string {
  const values = [`    recorded ${JSON.stringify(recorded)}`, `    actual   ${JSON.stringify(actual)}`];
  return [`${scenario} op ${op} (${text}) ${tier}.${field ?? '-'}`, ...values].join('\n');
}

function write(folder: string, name: string, lines: readonly Line[]): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.ndjson`), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
}

function modeOf(text: string): Mode {
  if (!isMode(text)) throw new UsageError(`no mode ${text}`);
  return text;
}

function kernelOf(text: string): Kernel {
  if (!Object.hasOwn(KERNELS, text)) throw new UsageError(`no kernel ${text}`);
  return text as Kernel;
}

function scenarioFiles(path: string): string[] {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) throw new UsageError(`no file or folder ${path}`);
  if (stat.isFile()) return [path];
  const names = readdirSync(path).filter((name) => name.endsWith('.json'));
  return names.sort().map((name) => join(path, name));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? (process.env.DEBUG ? (error.stack ?? error.message) : error.message) : String(error);
}

try {
  process.exitCode = main();
} catch (error) {
  console.error(`${messageOf(error)}\n${USAGE}`);
  process.exitCode = 2;
}
