/** A profile of VS Code's server: its settings, extensions and data in a folder of their own. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** Quiet, offline, and as the desktop saves (the web saves by itself after a second). */
const SETTINGS = {
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
  'workbench.enableExperiments': false,
  'telemetry.telemetryLevel': 'off',
  'update.mode': 'none',
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'extensions.ignoreRecommendations': true,
  'security.workspace.trust.enabled': false,
  'files.autoSave': 'off',
  'chat.disableAIFeatures': true,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
};

/** Without a gallery nothing asks the network. */
const NO_GALLERY = JSON.stringify({ serviceUrl: '', itemUrl: '', resourceUrlTemplate: '' });

export class Profile {
  constructor(root, settings) {
    this.root = root;
    for (const folder of ['user/User', 'extensions', 'data']) mkdirSync(join(root, folder), { recursive: true });
    const file = join(root, 'user/User/settings.json');
    if (!existsSync(file)) writeFileSync(file, JSON.stringify({ ...SETTINGS, ...settings }, null, 2));
  }

  /** Thrown away with {@link remove}. */
  static temporary(settings = {}) {
    return new Profile(mkdtempSync(join(tmpdir(), 'mmu-vscode-')), settings);
  }

  /** @param root folder that is kept from one start to the next, the user's settings with it */
  static kept(root, settings = {}) {
    return new Profile(root, settings);
  }

  get options() {
    return [
      ['--server-data-dir', join(this.root, 'data')],
      ['--user-data-dir', join(this.root, 'user')],
      ['--extensions-dir', join(this.root, 'extensions')],
      ['--telemetry-level', 'off'],
      ['--accept-server-license-terms'],
    ].flat();
  }

  remove() {
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** Starts VS Code's server program with a profile. */
export function spawnServer({ directory, node }, profile, args, options = {}) {
  const env = { ...process.env, ...options.env, EXTENSIONS_GALLERY: NO_GALLERY };
  return spawn(node, [join(directory, 'out', 'server-main.js'), ...profile.options, ...args], {
    ...options,
    stdio: ['ignore', 'pipe', 'pipe'],
    env,
  });
}

/** Installs a packaged extension as `code --install-extension` does. */
export async function installExtension(vscode, profile, vsix) {
  const child = spawnServer(vscode, profile, ['--install-extension', resolve(vsix), '--force']);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data));
  const status = await new Promise((done, failed) => child.once('error', failed).once('close', done));
  if (status !== 0 || !/successfully installed/.test(output)) throw new Error(`${vsix} was not installed (${status}): ${output}`);
}
