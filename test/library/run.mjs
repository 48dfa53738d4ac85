/**
 * The library as somebody else uses it: the example of docs/embedding.md imports the package by its name, is right by its types, and
 * prints what the document says. Ends with `N passed, M failed`. With UPDATE_DOCS=1 the document is written anew.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../scripts/steps.mjs';

const DOCUMENT = join(ROOT, 'docs', 'embedding.md');
const OUT = join(ROOT, 'out', 'library');

const document = readFileSync(DOCUMENT, 'utf8');
const code = /^```js\n([^]*?)^```$/m.exec(document)?.[1] ?? '';
const shown = /^```text\n([^]*?)^```$/m.exec(document)?.[1] ?? '';
mkdirSync(OUT, { recursive: true });
writeFileSync(join(OUT, 'example.mts'), code);
writeFileSync(join(OUT, 'example.mjs'), code);

const node = (...args) => spawnSync(process.execPath, args, { cwd: OUT, encoding: 'utf8' });
const STRICT = ['--strict', '--noEmit', '--target', 'es2022', '--module', 'nodenext', '--skipLibCheck', 'false', '--types', 'node'];

const ran = node('example.mjs');
const printed = ran.stdout;
if (process.env.UPDATE_DOCS)
  writeFileSync(
    DOCUMENT,
    document.replace(`\`\`\`text\n${shown}`, () => `\`\`\`text\n${printed}`),
  );
const checked = node(join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc'), ...STRICT, 'example.mts');
// Types that cannot be found are `any`, which would pass.
writeFileSync(join(OUT, 'wrong.mts'), "import { openScript } from 'mmu-scenarios/language';\nopenScript(1);\n");
const refused = node(join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc'), ...STRICT, 'wrong.mts');

const CHECKS = [
  ['the example runs', ran.status === 0, ran.stderr],
  ['it prints what the document says', printed === shown || Boolean(process.env.UPDATE_DOCS), printed],
  ['it is right by its types', checked.status === 0, checked.stdout],
  ['the types refuse what is wrong', refused.status !== 0 && /TS2\d+/.test(refused.stdout), refused.stdout],
];
for (const [what, holds, why] of CHECKS) console.log(`${holds ? '✔' : '✗'} ${what}${holds ? '' : `\n${why}`}`);
const passed = CHECKS.filter(([, holds]) => holds).length;
console.log(`${passed} passed, ${CHECKS.length - passed} failed`);
process.exit(passed === CHECKS.length ? 0 : 1);
