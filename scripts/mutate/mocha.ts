/** Runs test files with mocha in a process of its own. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';

export interface Outcome {
  /** Titles of tests that failed, or what ended the run. Empty: all passed. */
  readonly failed: readonly string[];
}

export interface MochaOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** Ends at the first failure. */
  readonly bail?: boolean;
  /** Milliseconds; a run that takes longer has failed, as one that never ends. */
  readonly limit?: number;
  readonly require?: string;
}

export function runMocha(
  root: string,
  files: readonly string[],
  { env, bail, limit = 600_000, require }: MochaOptions = {},
): Promise<Outcome> {
  const mocha = join(root, 'node_modules', 'mocha', 'bin', 'mocha.js');
  const options = ['--no-config', '-n', 'import=tsx', '-n', 'conditions=import', '--timeout', '60000', '--reporter', 'json', '--exit'];
  const args = [mocha, ...options, ...(require ? ['--require', require] : []), ...(bail ? ['--bail'] : []), ...files];
  // In a process group of its own: what tests start must end with it.
  const child = spawn(process.execPath, args, {
    cwd: root,
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, ...env },
  });
  return new Promise((resolve) => {
    let output = '';
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      kill(child.pid);
    }, limit);
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.on('close', (status) => {
      clearTimeout(timer);
      kill(child.pid);
      resolve({ failed: late ? ['the tests did not end'] : failuresIn(output, status) });
    });
  });
}

function kill(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // Gone already.
  }
}

/** What tests print stands before and among the reporter's JSON; its own first line is a brace alone. */
function failuresIn(output: string, status: number | null): string[] {
  const start = output.search(/^\{$/m);
  try {
    const { failures } = JSON.parse(output.slice(start)) as { failures: readonly { fullTitle: string }[] };
    if (failures.length > 0) return failures.map(({ fullTitle }) => fullTitle);
  } catch {
    // The status says it.
  }
  return status === 0 ? [] : ['the tests could not run'];
}
