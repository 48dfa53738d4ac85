/** Loaded by VS Code into its web worker extension host. */
import 'mocha/mocha.js';
import { report } from './report';

const LIMIT = 60_000;

export async function run(): Promise<void> {
  mocha.setup({ ui: 'bdd', timeout: LIMIT, reporter: class {} as unknown as string });
  await import('./suite/all');
  await new Promise<void>((done, failed) => {
    report(mocha.run((failures) => (failures > 0 ? failed(new Error(`${failures} failed`)) : done())));
  });
}
