/** Runs a test module inside the Node extension host of a VS Code executable, by @vscode/test-electron: a desktop one, or code.mjs in its place. */
import { runTests } from '@vscode/test-electron';
import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Profile } from './profile.mjs';

/**
 * @param options.executable  takes the arguments of VS Code's desktop program
 * @param options.extension  folder of the extension, built
 * @param options.tests  the test module; it writes its counts to the file that MMU_COUNTS names
 * @param options.folder  the workspace; a copy of it is opened
 * @returns {Promise<{ passed: number, failed: number, skipped: number }>}
 */
export async function runElectronTests({ executable, extension, tests, folder, env = {} }) {
  const profile = Profile.temporary({ 'git.enabled': false });
  try {
    const workspace = join(profile.root, 'workspace');
    cpSync(folder, workspace, { recursive: true });
    const counts = join(profile.root, 'counts.json');
    // It rejects when a test fails; the counts say so too.
    const ended = await runTests({
      vscodeExecutablePath: executable,
      extensionDevelopmentPath: extension,
      extensionTestsPath: tests,
      extensionTestsEnv: { ...env, MMU_COUNTS: counts },
      launchArgs: [workspace, `--user-data-dir=${join(profile.root, 'user')}`, `--extensions-dir=${join(profile.root, 'extensions')}`],
    }).catch((error) => error);
    if (!existsSync(counts)) {
      console.error(`${executable} ended (${ended instanceof Error ? ended.message : ended}) without counts`);
      return { passed: 0, failed: 1, skipped: 0 };
    }
    const { passes, failures, pending } = JSON.parse(readFileSync(counts, 'utf8'));
    return { passed: passes, failed: failures, skipped: pending };
  } finally {
    profile.remove();
  }
}
