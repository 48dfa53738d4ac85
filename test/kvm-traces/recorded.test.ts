import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { compareLines, emptyComparison, readLines, TIERS } from '../../scripts/kvm-traces/compare';
import { OWN } from '../../scripts/kvm-traces/cleaning';
import { Interpreter } from '../../scripts/kvm-traces/interpreter';
import { MODES } from '../../scripts/kvm-traces/mode';
import { isVmx, readScenario } from '../../scripts/kvm-traces/scenario';

/** A sample of the recordings is part of the project; all of them may lie beside the checkout. */
const RECORDINGS = [
  { name: 'a sample', folder: resolve(import.meta.dirname, 'recorded') },
  { name: 'all', folder: resolve(import.meta.dirname, '../../../shared/kvm-traces') },
].filter(({ folder }) => existsSync(folder));

for (const { name, folder } of RECORDINGS) {
  describe(`guests recorded under a real KVM: ${name}`, () => {
    for (const mode of MODES.filter((each) => existsSync(join(folder, 'expected', each)))) {
      it(`${mode}: what the guest saw, the exits, and what the MMU code did`, () => {
        const comparison = emptyComparison();
        for (const file of readdirSync(join(folder, 'expected', mode))) {
          const scenario = readScenario(readFileSync(join(folder, 'scenarios', file.replace(/\.ndjson$/, '.json')), 'utf8'));
          const recorded = readLines(readFileSync(join(folder, 'expected', mode, file), 'utf8'));
          compareLines(
            recorded,
            [...new Interpreter(scenario, mode).lines()],
            { mode, own: OWN[scenario.schema], vmx: isVmx(scenario), order: true },
            comparison,
          );
        }
        assert.deepEqual(comparison.mismatches, []);
        for (const tier of TIERS) assert.ok(comparison.tiers[tier].compared > 10, 'operations are compared');
      });
    }
  });
}
