/** The language server as one file, made once. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';

let made: Promise<string> | null = null;

/** The folder of `server.js`; it goes when the process ends. */
export function serverBundle(): Promise<string> {
  return (made ??= (async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mmu-fuzz-server-'));
    process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
    writeFileSync(join(folder, 'package.json'), '{ "type": "commonjs" }');
    await build({
      entryPoints: { server: resolve(import.meta.dirname, '../../server/src/node/main.ts') },
      outdir: folder,
      bundle: true,
      platform: 'node',
      format: 'cjs',
      target: 'node20',
      keepNames: true,
      logLevel: 'warning',
    });
    return folder;
  })());
}
