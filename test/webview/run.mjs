/** Runs the browser checks of the trace panel's page. Ends with `N passed, M failed`; exit status 3 when there is no browser. */
import Mocha from 'mocha';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { register } from 'tsx/esm/api';
import { launchBrowser, NoBrowser } from '../../scripts/vscode-host/browser.mjs';

try {
  await (await launchBrowser()).close();
} catch (error) {
  if (!(error instanceof NoBrowser)) throw error;
  console.log(`no browser: ${error.message}`);
  process.exit(3);
}

register();
const mocha = new Mocha({ ui: 'bdd', reporter: 'spec', timeout: 60_000 });
for (const name of readdirSync(import.meta.dirname)) if (name.endsWith('.test.ts')) mocha.addFile(join(import.meta.dirname, name));
await mocha.loadFilesAsync();
const runner = mocha.run((failures) => {
  const { passes, pending } = runner.stats;
  console.log(`${passes} passed, ${failures} failed${pending > 0 ? `, ${pending} skipped` : ''}`);
  process.exit(failures > 0 || passes === 0 ? 1 : 0);
});
