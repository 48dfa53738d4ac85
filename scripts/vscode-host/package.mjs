/** The packaged extension. */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { must, ROOT } from '../steps.mjs';
import { packagedReadme } from './readme.mjs';

const README = join('dist', 'README.md');
const VSIX = join(ROOT, 'dist', 'mmu-scenarios.vsix');

/** Packages what is built, unless that has been done since the last build; gives the package's path. */
export function packageExtension() {
  const built = join(ROOT, 'dist', 'extension.js');
  if (!existsSync(built)) throw new Error('not built yet: node scripts/build.mjs');
  if (existsSync(VSIX) && statSync(VSIX).mtimeMs > statSync(built).mtimeMs) return VSIX;
  writeFileSync(join(ROOT, README), packagedReadme(readFileSync(join(ROOT, 'README.md'), 'utf8')));
  // Links of the changelog are none; those of the README are written anew already.
  const options = ['--no-dependencies', '--no-rewrite-relative-links', '--readme-path', README, '--out', VSIX];
  must(process.execPath, [join('node_modules', '@vscode', 'vsce', 'vsce'), 'package', ...options]);
  return VSIX;
}

if (process.argv[1] === import.meta.filename) packageExtension();
