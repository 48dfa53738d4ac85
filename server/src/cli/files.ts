/** Files that the user names: read, found, replaced. */
import {
  closeSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  openSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { isNotOpened, MOST_BYTES } from '../api/language';
import { packingOf } from '../api/traces';
import { readRegularNow } from '../node/regular-file';
import { explained, InputError } from './io';
import type { Io } from './io';

interface Source {
  /** As the user named it, `<stdin>` for `-`. */
  readonly name: string;
  readonly text: string;
}

/** The text of a file, or of standard input for `-`. @throws InputError when there is no such text. */
export function readSource(path: string, io: Io): Source {
  const name = path === '-' ? '<stdin>' : path;
  const bytes = path === '-' ? io.stdin(MOST_BYTES) : readBytes(path);
  if (bytes.length > MOST_BYTES) throw new InputError(`${name}: is larger than ${MOST_BYTES >>> 20}M`);
  const packing = packingOf(bytes);
  if (packing === 'trace.dat' || packing === 'gzip')
    throw new InputError(`${name}: is ${packing === 'gzip' ? 'packed by gzip' : 'a recorded trace'}, not a scenario; see mmu explain`);
  if (bytes.includes(0)) throw new InputError(`${name}: is a binary file`);
  try {
    return { name, text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    throw new InputError(`${name}: is not UTF-8 text`);
  }
}

function readBytes(path: string): Uint8Array {
  try {
    const found = readRegularNow(path, { most: MOST_BYTES, folders: null });
    if (isNotOpened(found)) throw new InputError(`${path}: ${found.notOpened}`);
    return found;
  } catch (error) {
    throw explained(path, error);
  }
}

/**
 * Writes beside the file and renames, so that a reader sees the old text or the new one and never a part; owner and mode stay. A file
 * with other names (hard links), or of another owner who cannot be given, is written in place once the copy beside it is complete: the
 * copy stays when that fails, and the message names it.
 */
export function replaceFile(path: string, text: string): void {
  let beside: string | null = null;
  try {
    const target = realpathSync(path);
    const { mode, uid, gid, nlink } = statSync(target);
    beside = join(dirname(target), `.${basename(target)}.${process.pid}.tmp`);
    const owned = writeNew(beside, text, { mode, uid, gid });
    if (nlink === 1 && owned) return renameSync(beside, target);
    const copy = beside;
    beside = null;
    try {
      writeFileSync(target, text, { flush: true });
    } catch (error) {
      throw new InputError(`${explained(path, error).message}; the whole text is in ${copy}`);
    }
    rmSync(copy, { force: true });
  } catch (error) {
    if (beside) rmSync(beside, { force: true });
    throw explained(path, error);
  }
}

/** True when the file has this owner. */
function writeNew(path: string, text: string, { mode, uid, gid }: { mode: number; uid: number; gid: number }): boolean {
  const file = openSync(path, 'wx', mode);
  try {
    writeFileSync(file, text);
    fsyncSync(file);
    const now = fstatSync(file);
    if (now.uid === uid && now.gid === gid) return true;
    fchownSync(file, uid, gid);
    // A change of the owner takes away some bits of the mode.
    fchmodSync(file, mode);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
    return false;
  } finally {
    closeSync(file);
  }
}

/**
 * The `.mmu` files named by paths: files as they are, `-` too, folders with all below them, in order.
 *
 * @param failed told of each path that cannot be looked at; the others are found still
 */
export function findScenarios(paths: readonly string[], failed: (message: string) => void): string[] {
  const tried = (path: string, look: () => string[]): string[] => {
    try {
      return look();
    } catch (error) {
      failed(explained(path, error).message);
      return [];
    }
  };
  const below = (folder: string): string[] =>
    tried(folder, () =>
      readdirSync(folder, { withFileTypes: true })
        .filter(({ name }) => name !== 'node_modules' && !name.startsWith('.'))
        .sort((a, b) => (a.name < b.name ? -1 : 1))
        .flatMap((entry) => {
          const path = join(folder, entry.name);
          if (entry.isDirectory()) return below(path);
          return entry.name.endsWith('.mmu') ? [path] : [];
        }),
    );
  return paths.flatMap((path) => (path === '-' ? [path] : tried(path, () => (statSync(path).isDirectory() ? below(path) : [path]))));
}
