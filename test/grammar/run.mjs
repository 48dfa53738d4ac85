/**
 * Tests of the TextMate grammar: assertions in *.test.mmu, and snapshots of some samples in snapshots/. Ends with
 * `N passed, M failed`. `--update` writes the snapshots anew.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const ROOT = join(HERE, '..', '..');
const SNAPSHOTS = join(HERE, 'snapshots');
const SAMPLES = ['first-touch.mmu', 'measured-touch.mmu'];
const update = process.argv.includes('--update');

/** Runs a command of vscode-tmgrammar-test on one file; whether it was content. */
function check(command, ...args) {
  const script = join(ROOT, 'node_modules', 'vscode-tmgrammar-test', 'dist', `${command}.js`);
  const grammar = join(ROOT, 'syntaxes', 'mmu.tmLanguage.json');
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, '-g', grammar, ...args], { cwd: ROOT, encoding: 'utf8' });
  if (status !== 0) console.error(stdout + stderr);
  return status === 0;
}

/** The tool keeps snapshots beside the file, so the sample and its snapshot meet in a folder of their own. */
function snapshot(sample) {
  const folder = mkdtempSync(join(tmpdir(), 'mmu-grammar-'));
  const file = join(folder, sample);
  const kept = join(SNAPSHOTS, `${sample}.snap`);
  try {
    copyFileSync(join(ROOT, 'samples', sample), file);
    if (!update && !existsSync(kept)) {
      console.error(`${kept} is missing; make it with --update`);
      return false;
    }
    if (!update) copyFileSync(kept, `${file}.snap`);
    const good = check('snapshot', '-s', 'source.mmu', ...(update ? ['-u'] : []), file);
    if (update && good) copyFileSync(`${file}.snap`, kept);
    return good;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const results = [
  ...readdirSync(HERE).filter((name) => name.endsWith('.test.mmu')).map((name) => ({ name, good: check('unit', join('test', 'grammar', name)) })),
  ...SAMPLES.map((sample) => ({ name: `snapshots/${sample}.snap`, good: snapshot(sample) })),
]; // prettier-ignore
for (const { name, good } of results) console.log(`${good ? '✓' : '✗'} ${name}`);
const failed = results.filter(({ good }) => !good).length;
console.log(`${results.length - failed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
