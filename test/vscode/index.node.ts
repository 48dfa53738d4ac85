/** Loaded by VS Code into its Node extension host. */
import { writeFileSync } from 'node:fs';
import { report } from './report';

const LIMIT = 60_000;

/** MMU_GREP names the tests to run; MMU_COUNTS the file that their counts are written to. */
export async function run(): Promise<void> {
  // Mocha is a module of its own kind, which a CommonJS bundle can only load so.
  const { default: Mocha } = await import('mocha');
  const mocha = new Mocha({ ui: 'bdd', timeout: LIMIT, grep: process.env.MMU_GREP, reporter: class {} as unknown as string });
  mocha.suite.emit('pre-require', globalThis, '', mocha);
  await import('./suite/all');
  await new Promise<void>((done, failed) => {
    const runner = mocha.run((failures) => (failures > 0 ? failed(new Error(`${failures} failed`)) : done()));
    report(runner, (counts) => {
      if (process.env.MMU_COUNTS) writeFileSync(process.env.MMU_COUNTS, counts);
    });
  });
}
