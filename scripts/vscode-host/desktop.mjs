/** The desktop VS Code of this machine, if there is one. */
import { existsSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

/** The program itself, by the folder of its command `code`: on Linux, macOS and Windows. */
const PROGRAMS = ['../code', '../code-insiders', '../codium', '../../../MacOS/Electron', '../Code.exe', '../Code - Insiders.exe'];
const COMMANDS = process.platform === 'win32' ? ['code.cmd', 'code-insiders.cmd'] : ['code', 'code-insiders', 'codium'];

/** The program that a command starts; the command alone would not wait for its end. */
export function programOf(command) {
  const folder = dirname(realpathSync(command));
  return PROGRAMS.map((program) => join(folder, program)).find((path) => path !== realpathSync(command) && existsSync(path)) ?? null;
}

/**
 * VSCODE_EXECUTABLE names it; otherwise it is found by its command on the path.
 * @returns {string | null} null: there is none, or no screen to show it on
 */
export function desktopVscode(env = process.env) {
  if (env.VSCODE_EXECUTABLE) return env.VSCODE_EXECUTABLE;
  if (process.platform === 'linux' && !env.DISPLAY && !env.WAYLAND_DISPLAY) return null;
  for (const folder of (env.PATH ?? '').split(delimiter)) {
    for (const command of COMMANDS.map((name) => join(folder, name)).filter(existsSync)) {
      const program = programOf(command);
      if (program !== null) return program;
    }
  }
  return null;
}
