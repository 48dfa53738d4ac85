/** The decisions of the grammar, worked out when bundles are built: with them no rule has to be recorded to read a text. */
import * as esbuild from 'esbuild';
import { createRequire } from 'node:module';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './steps.mjs';

const MODULE = join('server', 'src', 'language', 'syntax', 'grammar', 'decision-table.ts');

/** Puts the table in the place of the module that makes it. */
export async function decisions() {
  const contents = `export const DECISION_TABLE = ${JSON.stringify(await decisionTable())};`;
  return {
    name: 'decisions',
    setup(build) {
      build.onLoad({ filter: /[\\/]syntax[\\/]grammar[\\/]decision-table\.ts$/ }, () => ({ contents, loader: 'ts' }));
    },
  };
}

async function decisionTable() {
  const folder = mkdtempSync(join(tmpdir(), 'mmu-decisions-'));
  try {
    const outfile = join(folder, 'decision-table.cjs');
    await esbuild.build({
      absWorkingDir: ROOT,
      entryPoints: [MODULE],
      bundle: true,
      platform: 'node',
      format: 'cjs',
      outfile,
      logLevel: 'warning',
    });
    return createRequire(import.meta.url)(outfile).DECISION_TABLE;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
