/**
 * `npm run kvm-traces -- [DIR|FILE…] [--out OUT] [--mode M,..]`: runs scripted guests that were recorded under a real KVM
 * through the engine, and writes what happened in the recorded form to OUT/MODE/NAME.ndjson, for the comparator.
 */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Interpreter } from './kvm-traces/interpreter';
import { isIntel, isMode, MODES } from './kvm-traces/mode';
import type { Mode } from './kvm-traces/mode';
import { readScenario } from './kvm-traces/scenario';
import type { Scenario } from './kvm-traces/scenario';

const USAGE = `usage: npm run kvm-traces -- [DIR|FILE...] [--out OUT] [--mode M,..]
  DIR    folder of scenarios (*.json); default ../shared/kvm-traces/scenarios
  OUT    where MODE/NAME.ndjson goes; default out/kvm-traces
  M      ${MODES.join(', ')}; default all`;

class UsageError extends Error {}

function main(): number {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      out: { type: 'string', default: 'out/kvm-traces' },
      mode: { type: 'string', multiple: true },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const modes = values.mode === undefined ? MODES : values.mode.flatMap((each) => each.split(',')).map(modeOf);
  const files = (positionals.length > 0 ? positionals : ['../shared/kvm-traces/scenarios']).flatMap(scenarioFiles);
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
  for (const mode of modes) failed += runMode(scenarios, mode, join(values.out, mode));
  return failed === 0 ? 0 : 1;
}

/** @returns how many scenarios could not be run */
function runMode(scenarios: readonly Scenario[], mode: Mode, out: string): number {
  mkdirSync(out, { recursive: true });
  let lines = 0;
  let failed = 0;
  // The hypervisor in a nested scenario speaks SVM.
  const runnable = scenarios.filter(({ nested }) => nested === null || !isIntel(mode));
  for (const scenario of runnable) {
    const done: string[] = [];
    try {
      for (const line of new Interpreter(scenario, mode).lines()) done.push(JSON.stringify(line));
    } catch (error) {
      failed++;
      console.error(`${mode} ${scenario.name}: ${messageOf(error)}`);
    }
    lines += done.length;
    writeFileSync(join(out, `${scenario.name}.ndjson`), done.map((line) => `${line}\n`).join(''));
  }
  console.log(`${mode}: ${runnable.length - failed} of ${runnable.length} scenarios, ${lines} operations`);
  return failed;
}

function modeOf(text: string): Mode {
  if (!isMode(text)) throw new UsageError(`no mode ${text}`);
  return text;
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
