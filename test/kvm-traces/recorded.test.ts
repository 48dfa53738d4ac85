import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Interpreter } from '../../scripts/kvm-traces/interpreter';
import { MODES } from '../../scripts/kvm-traces/mode';
import { readScenario } from '../../scripts/kvm-traces/scenario';

const SHARED = resolve(import.meta.dirname, '../../../shared/kvm-traces');
/** One in so many scenarios: all of them are `npm run kvm-traces`. */
const SAMPLE = 4;

interface Comparison {
  readonly modes: Record<string, Record<'A' | 'B' | 'C', [number, number]>>;
  readonly mismatches: readonly object[];
}
type Compare = (expected: string, actual: string, options: { modes: string[]; scenarios: string[] }) => Comparison;

describe('guests recorded under a real KVM', function () {
  let out: string;
  let compareDirs: Compare;

  before(async function () {
    if (!existsSync(SHARED)) this.skip();
    out = mkdtempSync(join(tmpdir(), 'kvm-traces-'));
    ({ compareDirs } = (await import(pathToFileURL(join(SHARED, 'compare.mjs')).href)) as { compareDirs: Compare });
  });

  after(() => {
    if (out) rmSync(out, { recursive: true });
  });

  for (const mode of MODES) {
    it(`${mode}: what the guest saw, the exits, and what the MMU code did`, () => {
      const scenarios: string[] = [];
      mkdirSync(join(out, mode));
      for (const file of sampleOf(mode)) {
        const scenario = readScenario(readFileSync(join(SHARED, 'scenarios', file), 'utf8'));
        scenarios.push(scenario.name);
        writeFileSync(
          join(out, mode, `${scenario.name}.ndjson`),
          [...new Interpreter(scenario, mode).lines()].map((line) => `${JSON.stringify(line)}\n`).join(''),
        );
      }
      const { modes, mismatches } = compareDirs(join(SHARED, 'expected'), out, { modes: [mode], scenarios });
      const { A, B, C } = modes[mode];
      assert.ok(A[1] > 50, 'operations are compared');
      assert.equal(A[0], A[1], JSON.stringify(mismatches, null, 1));
      assert.ok(B[0] >= 0.99 * B[1], JSON.stringify(mismatches, null, 1));
      assert.ok(C[0] >= 0.95 * C[1], JSON.stringify(mismatches, null, 1));
    });
  }
});

/** Scenarios recorded in a mode, every so many of them and the nested ones. */
function sampleOf(mode: string): string[] {
  const names = readdirSync(join(SHARED, 'expected', mode)).map((file) => file.replace(/\.ndjson$/, '.json'));
  return names.sort().filter((name, i) => i % SAMPLE === 0 || name.includes('nested'));
}
