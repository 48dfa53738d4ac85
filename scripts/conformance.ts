/**
 * npm run conformance -- [--verbose] [FILE.jsonl|DIR…]: runs conformance vectors and compares bit for bit; those of test/conformance when
 * none are named. A line per file; with --verbose one per failure; the last line is `N passed, M failed`. Exit status 0: all
 * passed; 1: some failed; 2: a file cannot be read or is not of this form.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { runVector, type Vector } from '../test/conformance/vectors';

const OWN = resolve(import.meta.dirname, '../test/conformance');

const args = process.argv.slice(2);
const verbose = args.includes('--verbose');
const named = args.filter((arg) => !arg.startsWith('--'));
if (args.some((arg) => arg.startsWith('--') && arg !== '--verbose')) {
  console.error('usage: npm run conformance -- [--verbose] [FILE.jsonl|DIR…]');
  process.exit(2);
}

function filesAt(path: string): string[] {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return [path];
  const names = readdirSync(path).filter((name) => name.endsWith('.jsonl'));
  return names.sort().map((name) => join(path, name));
}

function problemsOf(vector: Vector): string[] {
  try {
    return runVector(vector);
  } catch (error) {
    return [`not a vector of this form: ${error instanceof Error ? error.message : String(error)}`];
  }
}

let passed = 0;
let failed = 0;
for (const file of (named.length > 0 ? named : [OWN, join(OWN, 'measured')]).flatMap(filesAt)) {
  let vectors: Vector[];
  try {
    vectors = readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map((line) => JSON.parse(line) as Vector);
  } catch (error) {
    console.error(`${file}: ${error instanceof Error ? error.message : String(error)}`);
    process.exit(2);
  }
  let failures = 0;
  for (const vector of vectors) {
    const problems = problemsOf(vector);
    if (problems.length === 0) continue;
    failures++;
    if (verbose) for (const problem of problems) console.log(`${vector.id}: ${problem}`);
  }
  passed += vectors.length - failures;
  failed += failures;
  console.log(`${basename(file)}: ${vectors.length - failures} passed, ${failures} failed`);
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
