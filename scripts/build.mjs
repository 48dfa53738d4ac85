/**
 * Bundles everything into dist/. `--watch` keeps doing so; `--development` leaves out minification. The declarations of the library are
 * written too, except with `--watch` and `--no-types`.
 */
import * as esbuild from 'esbuild';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { contents } from './contents.mjs';
import { decisions } from './decisions.mjs';
import { must, ROOT } from './steps.mjs';

const watch = process.argv.includes('--watch');
const development = watch || process.argv.includes('--development');
const types = !watch && !process.argv.includes('--no-types');
const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

const common = {
  absWorkingDir: ROOT,
  bundle: true,
  sourcemap: development ? 'linked' : false,
  minify: !development,
  legalComments: 'none',
  logLevel: 'warning',
  define: { MMU_VERSION: JSON.stringify(version) },
  // While sources change, rules are recorded when they are first needed.
  plugins: watch ? [] : [await decisions()],
};
const node = { ...common, platform: 'node', format: 'cjs', target: 'node18' };
const browser = { ...common, platform: 'browser', target: 'es2022' };

/** The command serves by the bundle of the server. */
const serverBeside = {
  name: 'server beside',
  setup: (build) => build.onResolve({ filter: /^\.\.\/node\/main$/ }, () => ({ path: '../server.js', external: true })),
};

const bundles = [
  { ...node, entryPoints: { mmu: 'server/src/cli/load.ts' }, banner: { js: '#!/usr/bin/env node' } },
  {
    ...node,
    entryPoints: { 'mmu/command': 'server/src/cli/main.ts' },
    plugins: [...common.plugins, serverBeside],
    // A script of `vm` imports nothing.
    supported: { 'dynamic-import': false },
  },
  { ...node, entryPoints: { server: 'server/src/node/main.ts' } },
  { ...node, entryPoints: { extension: 'client/src/extension.ts' }, external: ['vscode'] },
  { ...browser, format: 'cjs', entryPoints: { 'browser/extension': 'client/src/browser.ts' }, external: ['vscode'] },
  {
    ...browser,
    format: 'iife',
    entryPoints: { 'browser/server': 'server/src/browser/main.ts' },
  },
  { ...browser, format: 'iife', entryPoints: { 'webview/panel': 'client/webview/main.ts' } },
  // One copy of what the doors lead to.
  {
    ...browser,
    platform: 'neutral',
    mainFields: ['module', 'main'],
    format: 'esm',
    splitting: true,
    chunkNames: 'library/[name]-[hash]',
    entryPoints: {
      'library/language': 'server/src/api/language.ts',
      'library/engine': 'server/src/api/engine.ts',
      'library/traces': 'server/src/api/traces.ts',
    },
  },
];

rmSync(join(ROOT, 'dist'), { recursive: true, force: true });
mkdirSync(join(ROOT, 'dist'), { recursive: true });
// The bundles are CommonJS, whatever the package around them says.
writeFileSync(join(ROOT, 'dist', 'package.json'), '{ "type": "commonjs" }\n');
mkdirSync(join(ROOT, 'dist', 'library'), { recursive: true });
writeFileSync(join(ROOT, 'dist', 'library', 'package.json'), '{ "type": "module" }\n');

writeFileSync(join(ROOT, 'dist', 'contents.json'), JSON.stringify(contents()));

const missing = bundles.flatMap(({ entryPoints }) => Object.values(entryPoints)).filter((path) => !existsSync(join(ROOT, path)));
if (missing.length > 0) throw new Error(`no such entry: ${missing.join(', ')}`);

for (const bundle of bundles) {
  const options = { ...bundle, outdir: 'dist' };
  if (watch) await (await esbuild.context(options)).watch();
  else await esbuild.build(options);
}
chmodSync(join(ROOT, 'dist', 'mmu.js'), 0o755);
if (!watch) must(process.execPath, [join('scripts', 'code-cache.mjs')], { stdio: ['ignore', 'ignore', 'inherit'] });
if (types) declare();

/** Declarations of the library. Their imports get the endings that Node's own resolution wants. */
function declare() {
  const out = join(ROOT, 'dist', 'library', 'types');
  must(process.execPath, [
    join('node_modules', 'typescript', 'bin', 'tsc'),
    '--project',
    join('server', 'src', 'api', 'tsconfig.json'),
    '--outDir',
    out,
  ]);
  for (const file of readdirSync(out, { recursive: true }).filter((name) => name.endsWith('.d.ts'))) {
    const path = join(out, file);
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.replace(/((?:from|import\() ?['"])(\.[^'"]+)(['"])/g, '$1$2.js$3'));
  }
}
