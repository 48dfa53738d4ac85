/** The command as a real process: bundled once as the build does, run on temporary files. */
import * as esbuild from 'esbuild';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

export const ROOT = resolve(import.meta.dirname ?? dirname(new URL(import.meta.url).pathname), '..', '..');

let folder: string | null = null;

/** The folder that the bundle and scenarios of the tests lie in. */
export function scratch(): string {
  if (folder) return folder;
  folder = mkdtempSync(join(tmpdir(), 'mmu-cli-'));
  process.on('exit', () => rmSync(folder!, { recursive: true, force: true }));
  esbuild.buildSync({
    entryPoints: [join(ROOT, 'server/src/cli/main.ts')],
    outfile: join(folder, 'mmu.cjs'),
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    keepNames: true,
    // By which coverage of the bundle is told by source lines.
    sourcemap: process.env.NODE_V8_COVERAGE ? 'inline' : false,
    logLevel: 'error',
    define: { MMU_VERSION: '"1.2.3-test"' },
  });
  return folder;
}

/** Writes a file in the scratch folder and returns its path relative to it. */
export function write(name: string, content: string | Uint8Array): string {
  const path = join(scratch(), name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return name;
}

export interface Ran {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs `mmu` in the scratch folder. @param environment besides that of the tests */
export function mmu(args: readonly string[], input = '', environment: NodeJS.ProcessEnv = {}): Ran {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(scratch(), 'mmu.cjs'), ...args], {
    cwd: scratch(),
    input,
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    timeout: 60_000,
    env: { ...process.env, NO_COLOR: '1', ...environment },
  });
  return { status, out: stdout, err: stderr };
}
