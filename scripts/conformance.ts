/**
 * npm run conformance -- [--verbose] FILE.jsonl…: runs conformance vectors and compares bit for bit. A line per file; with --verbose one per
 * failure; the last line is `N passed, M failed`. Exit status 0: all passed; 1: some failed; 2: a file cannot be read or is
 * not of this form.
 */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { runVector, type Vector } from '../test/conformance/vectors';

const args = process.argv.slice(2);
const verbose = args.includes('--verbose');
const files = args.filter((arg) => !arg.startsWith('--'));
if (files.length === 0 || args.some((arg) => arg.startsWith('--') && arg !== '--verbose')) {
  console.error('usage: npm run conformance -- [--verbose] FILE.jsonl…');
  process.exit(2);
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
for (const file of files) {
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
