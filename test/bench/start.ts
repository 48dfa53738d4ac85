/**
 * `npm run bench:start`: what the built command costs to start (`npm run build` first), against a bare Node: user and system time, minima of rounds that
 * alternate. `--baseline DIR` measures another built checkout beside it; `--rounds N`.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const ROOT = join(fileURLToPath(import.meta.url), '..', '..', '..');

const SCENARIO = `vm guest {
  slot 0 { gpa 0  size 16M }
  tables kernel at 0x10_0000 { 0x40_0000 +2M -> 0x40_0000 rw user }
  vcpu { cr3 kernel }
}
run guest under soft {
  user read 0x40_0123 expect ok, gpa 0x40_0123
}
`;

/** Milliseconds of the processor; a shell tells them of what it has run. */
function cost(args: readonly string[]): number {
  const script = 'TIMEFORMAT="%U %S"; time "$@" >/dev/null 2>&1';
  const told = execFileSync('bash', ['-c', `{ ${script}; } 2>&1`, 'bash', process.execPath, ...args], { encoding: 'utf8' });
  return told.trim().split(' ').reduce((sum, seconds) => sum + 1000 * Number(seconds), 0); // prettier-ignore
}

function main(): void {
  const { values } = parseArgs({ options: { baseline: { type: 'string' }, rounds: { type: 'string' } } });
  const rounds = Math.max(5, Number(values.rounds ?? 15));
  const folder = mkdtempSync(join(tmpdir(), 'mmu-start-'));
  const file = join(folder, 'small.mmu');
  writeFileSync(file, SCENARIO);
  const commands = new Map([['node', ['-e', '0']]]);
  const checkouts = { mmu: ROOT, ...(values.baseline === undefined ? {} : { baseline: resolve(values.baseline) }) };
  for (const [name, root] of Object.entries(checkouts)) {
    for (const args of [['--version'], ['check', file], ['run', file]])
      commands.set(`${name} ${args[0]}`, [join(root, 'dist', 'mmu.js'), ...args]);
  }
  const least = new Map<string, number>();
  for (let i = 0; i < rounds; i++) for (const [name, args] of commands) least.set(name, Math.min(least.get(name) ?? Infinity, cost(args)));
  rmSync(folder, { recursive: true });
  for (const [name, time] of least)
    console.log(`${name.padEnd(20)} ${time.toFixed(0).padStart(5)} ms  ${(time / least.get('node')!).toFixed(2)} x node`);
}

main();
