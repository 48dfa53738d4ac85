/** Bundles the suites for both extension hosts into out/vscode-tests. */
import { build } from 'esbuild';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../scripts/steps.mjs';

const OUT = join(ROOT, 'out', 'vscode-tests');
const HERE = import.meta.dirname;

/** In a bundle mocha's browser file would take the bundle's own `module` for its own: it is run as the script that it is. */
const mochaAsScript = {
  name: 'mocha-as-script',
  setup({ onLoad }) {
    onLoad({ filter: /mocha[\\/]mocha\.js$/ }, ({ path }) => ({
      contents: `(function (module, exports, define) { ${readFileSync(path, 'utf8')} }).call(globalThis);`,
      loader: 'js',
    }));
  },
};

/** @returns {Promise<{ node: string, web: string }>} the test modules */
export async function bundleSuites() {
  mkdirSync(OUT, { recursive: true });
  writeFileSync(join(OUT, 'package.json'), '{ "type": "commonjs" }\n');
  const common = { bundle: true, format: 'cjs', logLevel: 'warning', sourcemap: 'inline' };
  const node = join(OUT, 'node.js');
  const web = join(OUT, 'web.js');
  await build({
    ...common,
    platform: 'node',
    target: 'node18',
    external: ['vscode', 'mocha'],
    entryPoints: [join(HERE, 'index.node.ts')],
    outfile: node,
  });
  await build({
    ...common,
    platform: 'browser',
    target: 'es2022',
    external: ['vscode'],
    alias: { 'node:assert/strict': join(HERE, 'assert.web.ts') },
    define: { global: 'globalThis' },
    plugins: [mochaAsScript],
    entryPoints: [join(HERE, 'index.web.ts')],
    outfile: web,
  });
  return { node, web };
}
