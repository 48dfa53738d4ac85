/**
 * `npm start [-- FILE] [-- --no-editor]`: sets the checkout up, builds, runs a scenario in the terminal, and opens the editor on it:
 * the desktop `code` when there is one, otherwise VS Code's own server on a loopback port.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { build, install, ROOT, say } from './steps.mjs';

const FIRST = join(ROOT, 'samples', 'first-touch.mmu');

const args = process.argv.slice(2);
const editor = !args.includes('--no-editor');
const options = args.filter((each) => each.startsWith('-') && each !== '--no-editor');
const files = args.filter((each) => !each.startsWith('-'));
if (options.length > 0 || files.length > 1) {
  console.error('usage: npm start [-- [FILE] [--no-editor]]');
  process.exit(2);
}
const file = files.length > 0 ? resolve(process.env.INIT_CWD ?? process.cwd(), files[0]) : FIRST;
if (!existsSync(file)) {
  console.error(`${file}: no such file`);
  process.exit(2);
}

install();
await build('--no-types');

say(`Running ${file}`);
const { status } = spawnSync(process.execPath, [join(ROOT, 'dist', 'mmu.js'), 'run', file], { cwd: ROOT, stdio: 'inherit' });
if (!editor) process.exit(status ?? 1);

const folder = dirname(file);
const code = process.platform === 'win32' ? 'code.cmd' : 'code';
if (spawnSync(code, ['--version'], { stdio: 'ignore', shell: process.platform === 'win32' }).status === 0) {
  say(`Opening ${folder} in VS Code with the extension in it`);
  const opened = spawn(code, ['--new-window', `--extensionDevelopmentPath=${ROOT}`, folder, '--goto', file], {
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  opened.on('exit', (ended) => process.exit(ended ?? 0));
} else {
  say("No desktop VS Code (`code`) here: laying and starting VS Code's own server");
  const { serveEditor } = await import('./vscode-host/serve.mjs');
  await serveEditor({ folder, file });
}
