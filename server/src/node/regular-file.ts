/**
 * Files read as a scenario's words ask for them: regular ones only, of a bounded size, and none outside the folders that may be looked
 * into, wherever links lead. A device, a FIFO or a socket is never opened: opening alone can act, or wait for ever.
 */
import { closeSync, constants, fstatSync, openSync, readSync, realpathSync, statSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { open, realpath, stat } from 'node:fs/promises';
import { relative, sep, isAbsolute } from 'node:path';
import type { Found, NotOpened } from '../language/analysis';

interface Bounds {
  /** Bytes of the file at most. */
  readonly most: number;
  /** Folders in which it must lie, as paths; null: anywhere, as for a path that the user named. */
  readonly folders: readonly string[] | null;
}

/** Should another kind of file have taken its place since it was looked at, the opening does not wait. */
export const FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOCTTY ?? 0);

/** The bytes of a file; null when there is none, or it cannot be read. Never rejects. */
export async function readRegular(path: string, { most, folders }: Bounds): Promise<Found<Uint8Array>> {
  try {
    // Nothing outside is even asked about: a path of another machine would be looked for there.
    const named = misplaced(path, folders);
    if (named !== null) return { notOpened: named };
    const real = await realpath(path);
    const within = folders && (await Promise.all(folders.map((folder) => realpath(folder).catch(() => folder))));
    const why = misplaced(real, within) ?? unfit(await stat(real), most);
    if (why !== null) return { notOpened: why };
    const file = await open(real, FLAGS);
    try {
      const now = unfit(await file.stat(), most);
      if (now !== null) return { notOpened: now };
      const bytes = new Uint8Array((await file.stat()).size);
      let read = 0;
      for (let got = 1; got > 0 && read < bytes.length; read += got)
        got = (await file.read(bytes, read, bytes.length - read, read)).bytesRead;
      return bytes.subarray(0, read);
    } finally {
      await file.close();
    }
  } catch {
    return null;
  }
}

/** The same at once. @throws the system's error when it cannot be read */
export function readRegularNow(path: string, { most, folders }: Bounds): Uint8Array | NotOpened {
  const named = misplaced(path, folders);
  if (named !== null) return { notOpened: named };
  const real = realpathSync.native(path);
  const why = misplaced(real, folders?.map(realOrSame) ?? null) ?? unfit(statSync(real), most);
  if (why !== null) return { notOpened: why };
  const file = openSync(real, FLAGS);
  try {
    const stats = fstatSync(file);
    const now = unfit(stats, most);
    if (now !== null) return { notOpened: now };
    const bytes = new Uint8Array(stats.size);
    let read = 0;
    for (let got = 1; got > 0 && read < bytes.length; read += got) got = readSync(file, bytes, read, bytes.length - read, read);
    return bytes.subarray(0, read);
  } finally {
    closeSync(file);
  }
}

function realOrSame(folder: string): string {
  try {
    return realpathSync.native(folder);
  } catch {
    return folder;
  }
}

/** Kernels show their own state below these as regular files; no scenario is there. */
const OF_THE_KERNEL = ['/proc', '/sys', '/dev'];

function misplaced(real: string, folders: readonly string[] | null): string | null {
  if (folders === null) return null;
  if (OF_THE_KERNEL.some((folder) => isBelow(real, folder))) return 'is the kernel’s own';
  return folders.some((folder) => isBelow(real, folder)) ? null : 'lies outside the folders that this scenario may read from';
}

function isBelow(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/** Why a file is not opened for what it is; null: it may be. */
export function unfit(stats: Stats, most: number): string | null {
  if (stats.isDirectory()) return 'is a directory';
  if (stats.isFIFO()) return 'is a FIFO';
  if (stats.isSocket()) return 'is a socket';
  if (!stats.isFile()) return 'is a device';
  return stats.size > most ? `is larger than ${most >>> 20}M` : null;
}
