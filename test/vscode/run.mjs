/**
 * Tests in a real VS Code: mocha in its Node and its web worker extension host, and the packaged extension driven as a person would. Ends
 * with `N passed, M failed`; exit status 3 when no VS Code or no browser can be had.
 *
 *   node test/vscode/run.mjs [--newest] [desktop] [node] [web] [ui]
 *
 * `desktop` and `node` run the same suites through @vscode/test-electron: in the desktop VS Code of this machine, where there is one
 * (VSCODE_EXECUTABLE names it), and in VS Code's server behind a stand-in for it.
 * `ui` installs the package that MMU_VSIX names, or else the one of this build.
 */
import Mocha from 'mocha';
import { join } from 'node:path';
import { register } from 'tsx/esm/api';
import { launchBrowser, NoBrowser } from '../../scripts/vscode-host/browser.mjs';
import { desktopVscode } from '../../scripts/vscode-host/desktop.mjs';
import { runElectronTests } from '../../scripts/vscode-host/electron-tests.mjs';
import { runExtensionTests } from '../../scripts/vscode-host/extension-tests.mjs';
import { CannotLay, layVscode } from '../../scripts/vscode-host/lay.mjs';
import { ROOT } from '../../scripts/steps.mjs';
import { bundleSuites } from './bundle.mjs';

const args = process.argv.slice(2);
const version = args.includes('--newest') ? 'newest' : 'stable';
const wanted = args.filter((each) => !each.startsWith('--'));

let vscode;
try {
  await (await launchBrowser()).close();
  vscode = layVscode(version);
} catch (error) {
  if (!(error instanceof NoBrowser || error instanceof CannotLay)) throw error;
  console.log(`no host: ${error.message}`);
  process.exit(3);
}

const tests = await bundleSuites();
const common = { extension: ROOT, folder: join(ROOT, 'samples') };
const inElectron = (executable) => () => runElectronTests({ ...common, executable, tests: tests.node, env: { MMU_VSCODE: version } });
const desktop = desktopVscode();
const PARTS = {
  ...(desktop === null ? {} : { desktop: inElectron(desktop) }),
  node: inElectron(join(ROOT, 'scripts', 'vscode-host', 'code.mjs')),
  web: () => runExtensionTests({ ...common, vscode, tests: tests.web, web: true }),
  ui: driven,
};
if (desktop === null) console.log('no desktop VS Code here: `desktop` is left out');

/** The checks of the workbench itself run here, beside the browser. */
async function driven() {
  process.env.MMU_VSCODE = version;
  register();
  const mocha = new Mocha({ ui: 'bdd', reporter: 'spec', timeout: 120_000, bail: true });
  mocha.addFile(join(import.meta.dirname, 'workbench.test.ts'));
  await mocha.loadFilesAsync();
  return new Promise((resolve) => {
    const runner = mocha.run((failed) => resolve({ passed: runner.stats.passes, failed, skipped: runner.stats.pending }));
  });
}

const sum = { passed: 0, failed: 0, skipped: 0 };
for (const [name, run] of Object.entries(PARTS)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const started = Date.now();
  const counts = await run();
  console.log(
    `${name === 'desktop' ? desktop : `VS Code ${vscode.version}`}, ${name}: ${counts.passed} passed, ${counts.failed} failed (${Math.round((Date.now() - started) / 1000)} s)\n`,
  );
  for (const key of Object.keys(sum)) sum[key] += counts[key];
}
console.log(`${sum.passed} passed, ${sum.failed} failed${sum.skipped > 0 ? `, ${sum.skipped} skipped` : ''}`);
process.exit(sum.failed > 0 || sum.passed === 0 ? 1 : 0);
