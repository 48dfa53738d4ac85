/** A copy of the project to change files in: what git knows of and does not ignore, with the packages of the checkout. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { applied } from './mutants';
import type { Mutant } from './mutants';

/** The first counterexample of a property will do. */
const SETUP = "import fc from 'fast-check';\nfc.configureGlobal({ endOnFailure: true });\n";

export class Checkout {
  readonly setup: string;

  private constructor(readonly root: string) {
    this.setup = join(root, 'mutate-setup.mjs');
    writeFileSync(this.setup, SETUP);
  }

  static copyOf(root: string): Checkout {
    const to = realpathSync(mkdtempSync(join(tmpdir(), 'mutated-')));
    for (const file of projectFiles(root)) cpSync(join(root, file), join(to, file));
    for (const name of ['node_modules', '.cache'])
      if (existsSync(join(root, name))) symlinkSync(realpathSync(join(root, name)), join(to, name));
    return new Checkout(to);
  }

  read(file: string): string {
    return readFileSync(join(this.root, file), 'utf8');
  }

  /** Does something while a mutant is in its file. */
  async with<T>(mutant: Mutant, what: () => Promise<T>): Promise<T> {
    const path = join(this.root, mutant.file);
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, applied(text, mutant));
    try {
      return await what();
    } finally {
      writeFileSync(path, text);
    }
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** Files of the project by their paths in it. */
export function projectFiles(root: string): string[] {
  const { stdout } = spawnSync('git', ['ls-files', '-co', '--exclude-standard', '-z'], { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 });
  return stdout.split('\0').filter((file) => file !== '' && existsSync(join(root, file)));
}
