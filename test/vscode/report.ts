/** Prints a mocha run for the runner outside: lines with its mark, then the counts; these are also given to `ended`. */
import { COUNTS, SAID } from '../../scripts/vscode-host/marks.mjs';

interface Runner {
  on(event: string, listener: (test: { title: string; fullTitle(): string }, error?: Error) => void): unknown;
  readonly stats?: unknown;
}

export function report(runner: Runner, ended: (counts: string) => void = () => {}): void {
  runner.on('pass', (test) => console.log(`${SAID}  ✔ ${test.fullTitle()}`));
  runner.on('pending', (test) => console.log(`${SAID}  - ${test.fullTitle()}`));
  runner.on('fail', (test, error) =>
    console.log(`${SAID}  ✗ ${test.fullTitle()}\n${(error?.stack ?? String(error)).replace(/^/gm, `${SAID}      `)}`),
  );
  runner.on('end', () => {
    const counts = JSON.stringify(runner.stats);
    console.log(COUNTS + counts);
    ended(counts);
  });
}
