/** The packaged extension. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { must, ROOT } from '../steps.mjs';

const VSIX = join(ROOT, 'dist', 'mmu-scenarios.vsix');

/** Packages what is built, unless that has been done since the last build; gives the package's path. */
export function packageExtension() {
  const built = join(ROOT, 'dist', 'extension.js');
  if (!existsSync(built)) throw new Error('not built yet: node scripts/build.mjs');
  if (existsSync(VSIX) && statSync(VSIX).mtimeMs > statSync(built).mtimeMs) return VSIX;
  const options = ['--no-dependencies', '--allow-missing-repository', '--no-rewrite-relative-links', '--out', VSIX];
  must(process.execPath, [join('node_modules', '@vscode', 'vsce', 'vsce'), 'package', ...options]);
  return VSIX;
}

if (process.argv[1] === import.meta.filename) packageExtension();
