/** Bundles everything into dist/. `--watch` keeps doing so; `--development` leaves out minification. */
import * as esbuild from 'esbuild';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './steps.mjs';

const watch = process.argv.includes('--watch');
const development = watch || process.argv.includes('--development');
const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

const common = {
  absWorkingDir: ROOT,
  bundle: true,
  sourcemap: development ? 'linked' : false,
  minify: !development,
  legalComments: 'none',
  logLevel: 'warning',
  define: { MMU_VERSION: JSON.stringify(version) },
};
const node = { ...common, platform: 'node', format: 'cjs', target: 'node18' };
const browser = { ...common, platform: 'browser', target: 'es2022' };

const bundles = [
  { ...node, entryPoints: { mmu: 'server/src/cli/main.ts' }, banner: { js: '#!/usr/bin/env node' } },
  { ...node, entryPoints: { server: 'server/src/node/main.ts', worker: 'server/src/node/worker.ts' } },
  { ...node, entryPoints: { extension: 'client/src/extension.ts' }, external: ['vscode'] },
  { ...browser, format: 'cjs', entryPoints: { 'browser/extension': 'client/src/browser.ts' }, external: ['vscode'] },
  {
    ...browser,
    format: 'iife',
    entryPoints: { 'browser/server': 'server/src/browser/main.ts', 'browser/worker': 'server/src/browser/worker.ts' },
  },
  { ...browser, format: 'iife', entryPoints: { 'webview/panel': 'client/webview/main.ts' } },
];

rmSync(join(ROOT, 'dist'), { recursive: true, force: true });
mkdirSync(join(ROOT, 'dist'), { recursive: true });
// The bundles are CommonJS, whatever the package around them says.
writeFileSync(join(ROOT, 'dist', 'package.json'), '{ "type": "commonjs" }\n');

const missing = bundles.flatMap(({ entryPoints }) => Object.values(entryPoints)).filter((path) => !existsSync(join(ROOT, path)));
if (missing.length > 0) throw new Error(`no such entry: ${missing.join(', ')}`);

for (const bundle of bundles) {
  const options = { ...bundle, outdir: 'dist' };
  if (watch) await (await esbuild.context(options)).watch();
  else await esbuild.build(options);
}
chmodSync(join(ROOT, 'dist', 'mmu.js'), 0o755);
