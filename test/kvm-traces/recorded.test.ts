import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { compareLines, emptyComparison, OF_DIGESTS, readLines, TIERS } from '../../scripts/kvm-traces/compare';
import { OWN } from '../../scripts/kvm-traces/cleaning';
import { readDigest, type Digest } from '../../scripts/kvm-traces/digest';
import { Interpreter } from '../../scripts/kvm-traces/interpreter';
import { MODES, type Mode } from '../../scripts/kvm-traces/mode';
import { isVmx, readScenario } from '../../scripts/kvm-traces/scenario';
import type { Kernel } from '../../server/src/engine/program';

interface Recordings {
  readonly name: string;
  readonly kernel: Kernel;
  readonly scenarios: string;
  readonly expected: string;
  /** Sptes bit by bit. */
  readonly digest: string | null;
}

const SAMPLE = resolve(import.meta.dirname, 'recorded');
const SHARED = resolve(import.meta.dirname, '../../../shared');
const ofShared = (name: string, kernel: Kernel, [scenarios, expected, digest]: readonly string[]): Recordings => ({
  name,
  kernel,
  scenarios: join(SHARED, scenarios),
  expected: join(SHARED, expected),
  digest: join(SHARED, digest),
});

/** A sample of the recordings is part of the project; all of them, and those of 6.12, may lie beside the checkout. */
const ALL: readonly Recordings[] = [
  { name: 'a sample', kernel: '6.1', scenarios: join(SAMPLE, 'scenarios'), expected: join(SAMPLE, 'expected'), digest: null },
  ofShared('all', '6.1', ['kvm-traces/scenarios', 'kvm-traces/expected', 'kvm-traces/digest']),
  ofShared('all, under 6.12', '6.12', ['kvm-traces/scenarios', 'kvm-6.12/expected', 'kvm-6.12/digest']),
  ofShared('of the differences', '6.1', ['kvm-6.12/extra/scenarios', 'kvm-6.12/extra/expected-6.1', 'kvm-6.12/extra/digest-6.1']),
  ofShared('of the differences, under 6.12', '6.12', [
    'kvm-6.12/extra/scenarios',
    'kvm-6.12/extra/expected-6.12',
    'kvm-6.12/extra/digest-6.12',
  ]),
];
const RECORDINGS = ALL.filter(({ expected }) => existsSync(expected));

for (const recordings of RECORDINGS) {
  describe(`guests recorded under a real KVM: ${recordings.name}`, () => {
    for (const mode of MODES.filter((each) => existsSync(join(recordings.expected, each)))) {
      it(`${mode}: what the guest saw, the exits, and what the MMU code did`, () => {
        const comparison = emptyComparison();
        for (const file of readdirSync(join(recordings.expected, mode))) {
          const name = file.replace(/\.ndjson$/, '');
          const scenario = readScenario(readFileSync(join(recordings.scenarios, `${name}.json`), 'utf8'));
          const recorded = readLines(readFileSync(join(recordings.expected, mode, file), 'utf8'), digestOf(recordings, name, mode));
          compareLines(
            recorded,
            [...new Interpreter(scenario, mode, recordings.kernel).lines()],
            { mode, own: OWN[scenario.schema], vmx: isVmx(scenario), order: true },
            comparison,
          );
        }
        assert.deepEqual(comparison.mismatches, []);
        for (const tier of TIERS) {
          if (OF_DIGESTS[tier] === undefined || recordings.digest !== null)
            assert.ok(comparison.tiers[tier].compared > 10, 'operations are compared');
        }
      });
    }
  });
}

function digestOf({ digest }: Recordings, name: string, mode: Mode): Digest | undefined {
  return digest === null ? undefined : readDigest(readFileSync(join(digest, `${name}.txt`), 'utf8')).get(mode);
}
