/**
 * `npm test`: sets the checkout up, builds, and runs every suite. Ends with the plain line `N passed, M failed`. Names of suites as
 * arguments run these alone; `--list` names them.
 */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { build, capture, install, ROOT, say } from './steps.mjs';

const CI = Boolean(process.env.CI);
const node = process.execPath;
const bin = (name, ...path) => join(ROOT, 'node_modules', name, ...path);

/** One check by exit status. */
const exits = (command, args) => async () => {
  const { status } = await capture(command, args);
  return status === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
};

/** A runner that prints its counts; `pattern` finds them in its last lines. */
const counted =
  (command, args, { passed, failed, options }) =>
  async () => {
    const { status, output } = await capture(command, args, options);
    const found = { passed: last(output, passed), failed: last(output, failed), skipped: last(output, /(\d+) (?:pending|skipped)/g) };
    // A runner that ended badly without saying what failed has failed itself.
    if (status !== 0 && found.failed === 0) found.failed = 1;
    if (found.passed + found.failed === 0) found.failed = 1;
    return found;
  };

function last(output, pattern) {
  const all = [...output.matchAll(pattern)];
  return all.length === 0 ? 0 : Number(all.at(-1)[1]);
}

const MOCHA = { passed: /(\d+) passing/g, failed: /(\d+) failing/g };
const PLAIN = { passed: /(\d+) passed/g, failed: /(\d+) failed/g };
/** Of the bundles with documentation, samples and pictures. */
const MOST_BYTES = 2 * 1024 * 1024;

const SUITES = {
  types: exits(node, [bin('typescript', 'bin', 'tsc'), '--noEmit']),
  lint: exits(node, [bin('eslint', 'bin', 'eslint.js'), '.']),
  form: exits(node, [bin('prettier', 'bin', 'prettier.cjs'), '--check', '--log-level', 'warn', '.']),
  unit: counted(node, [bin('mocha', 'bin', 'mocha.js')], MOCHA),
  grammar: counted(node, ['test/grammar/run.mjs'], PLAIN),
  samples: counted(node, ['dist/mmu.js', 'test', '--failures', 'samples'], PLAIN),
  library: counted(node, ['test/library/run.mjs'], PLAIN),
  package: packaged,
  webview: host('test/webview/run.mjs'),
  vscode: host('test/vscode/run.mjs'),
};

/** The .vsix is built, holds bundles only, and is small. */
async function packaged() {
  const { status, output } = await capture(node, ['scripts/vscode-host/package.mjs']);
  const file = join(ROOT, 'dist', 'mmu-scenarios.vsix');
  const sources = /\.(ts|map)\b|node_modules/.test(output);
  const good = status === 0 && existsSync(file) && statSync(file).size < MOST_BYTES && !sources;
  if (good) console.log(`${file}: ${Math.round(statSync(file).size / 1024)} KiB`);
  else if (status === 0) console.error('the package is too large, or holds sources');
  return { passed: good ? 1 : 0, failed: good ? 0 : 1 };
}

/**
 * A suite that needs a VS Code host or a browser. Its runner exits with 3 when there is none: failed under CI, skipped elsewhere, and
 * said in both cases.
 */
function host(script) {
  return async () => {
    const { status, output } = await capture(node, [script]);
    if (status === 3) {
      console.log(`${CI ? 'FAILED' : 'SKIPPED'}: ${script} has no host or browser to run in`);
      return CI ? { passed: 0, failed: 1 } : { passed: 0, failed: 0, skipped: 1 };
    }
    const found = { passed: last(output, PLAIN.passed), failed: last(output, PLAIN.failed), skipped: last(output, /(\d+) skipped/g) };
    if ((status !== 0 || found.passed === 0) && found.failed === 0) found.failed = 1;
    return found;
  };
}

const wanted = process.argv.slice(2);
if (wanted.includes('--list')) {
  console.log(Object.keys(SUITES).join('\n'));
  process.exit(0);
}
const unknown = wanted.filter((name) => !(name in SUITES));
if (unknown.length > 0) {
  console.error(`no suite ${unknown.join(', ')}; there is ${Object.keys(SUITES).join(', ')}`);
  process.exit(2);
}

install();
await build();

const results = [];
for (const [name, run] of Object.entries(SUITES)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  say(`Suite ${name}`);
  const start = Date.now();
  const { passed, failed, skipped = 0 } = await run();
  results.push({ name, passed, failed, skipped, seconds: Math.round((Date.now() - start) / 100) / 10 });
}

say('Summary');
for (const { name, passed, failed, skipped, seconds } of results) {
  console.log(
    `${failed > 0 ? '✗' : '✓'} ${name.padEnd(10)} passed ${passed}, failed ${failed}${skipped > 0 ? `, SKIPPED ${skipped}` : ''} (${seconds} s)`,
  );
}
const sum = (key) => results.reduce((total, each) => total + each[key], 0);
console.log(`\n${sum('passed')} passed, ${sum('failed')} failed`);
process.exit(sum('failed') > 0 ? 1 : 0);
