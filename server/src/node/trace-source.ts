/** The bytes of a trace that the user named, in pieces: of a file as it is or unpacked, of standard input, of what trace-cmd prints. */
import { spawn } from 'node:child_process';
import { createReadStream, realpathSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { LOOKED_AT, packingOf, type Packing } from '../import/packing';
import { FLAGS, unfit } from './regular-file';

export interface TraceSource {
  readonly packing: Packing;
  /** Ends without an error when the signal is given. Throws an {@link UnpackingError} for what cannot be unpacked. */
  readonly pieces: AsyncIterable<Uint8Array>;
}

/** What is packed is damaged, or unpacks without end; what came before was given. */
export class UnpackingError extends Error {}

/** Why a path is not read; the system's errors are thrown. */
interface Refused {
  readonly refused: string;
}

/** A file that the user named. */
export async function openTrace(path: string, signal: AbortSignal): Promise<TraceSource | Refused> {
  const real = realpathSync(path);
  const why = unfit(statSync(real), Infinity);
  if (why !== null) return { refused: why };
  const file = await open(real, FLAGS);
  const beginning = new Uint8Array(LOOKED_AT);
  const { bytesRead } = await file.read(beginning, 0, LOOKED_AT, 0);
  await file.close();
  const packing = packingOf(beginning.subarray(0, bytesRead));
  if (packing === 'trace.dat') return printed(real, signal);
  return unpacked(createReadStream(real, { flags: FLAGS as unknown as string, highWaterMark: PIECE }), packing, signal);
}

/** Standard input. */
export async function openStdin(stdin: Readable, signal: AbortSignal): Promise<TraceSource | Refused> {
  const pieces = stdin[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  signal.addEventListener('abort', () => stdin.destroy(), { once: true });
  const first = await pieces.next().catch(() => ({ done: true, value: undefined }) as const);
  const beginning = first.done ? new Uint8Array(0) : first.value;
  const packing = packingOf(beginning);
  if (packing === 'trace.dat') return { refused: 'is a trace.dat, which trace-cmd reads from files only: name the file' };
  const all = Readable.from(following(beginning, pieces));
  return unpacked(all, packing, signal);
}

const PIECE = 1 << 17;

async function* following(first: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield first;
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
}

function unpacked(packed: Readable, packing: Packing, signal: AbortSignal): TraceSource {
  signal.addEventListener('abort', () => packed.destroy(), { once: true });
  return { packing, pieces: packing === 'gzip' ? gunzipped(packed, signal) : plain(packed, signal) };
}

async function* plain(stream: Readable, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    for await (const piece of stream) yield piece as Uint8Array;
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** Deflate packs a thousandfold at most, and that only what says nothing: a trace has times. */
const BOMB_RATIO = 900;
const BOMB_BYTES = 1 << 28;

/** @param harmless bytes that may be unpacked whatever they were packed into */
export async function* gunzipped(packed: Readable, signal: AbortSignal, harmless = BOMB_BYTES): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip({ chunkSize: PIECE });
  packed.on('error', (error) => gunzip.destroy(error));
  packed.pipe(gunzip);
  let bytes = 0;
  try {
    for await (const piece of gunzip) {
      bytes += (piece as Uint8Array).length;
      if (bytes > harmless && bytes > BOMB_RATIO * gunzip.bytesWritten)
        throw new UnpackingError(`unpacks to more than ${BOMB_RATIO} times its size: it is not read further`);
      yield piece as Uint8Array;
    }
  } catch (error) {
    if (signal.aborted) return;
    const { code } = error as NodeJS.ErrnoException;
    throw code?.startsWith('Z_') ? new UnpackingError(`cannot be unpacked after ${bytes} bytes: it is damaged or cut off`) : error;
  } finally {
    packed.destroy();
    gunzip.destroy();
  }
}

/** What `trace-cmd report` prints of a trace.dat. */
function printed(path: string, signal: AbortSignal): TraceSource | Refused {
  const program = onPath('trace-cmd');
  if (program === null)
    return {
      refused:
        'is a trace.dat, which trace-cmd prints, and trace-cmd is not on the path: install it, or explain what `trace-cmd report` printed elsewhere',
    };
  return { packing: 'trace.dat', pieces: report(program, path, signal) };
}

async function* report(program: string, path: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const child = spawn(program, ['report', '-i', resolve(path)], { stdio: ['ignore', 'pipe', 'pipe'] });
  signal.addEventListener('abort', () => child.kill(), { once: true });
  let said = '';
  child.stderr.on('data', (piece: Buffer) => (said = (said + piece.toString()).slice(-MOST_SAID)));
  const ended = new Promise<number | Error>((done) => {
    child.on('close', (status) => done(status ?? 1));
    child.on('error', done);
  });
  yield* plain(child.stdout, signal);
  const status = await ended;
  if (signal.aborted || status === 0) return;
  const last = said.trim().split('\n').at(-1);
  throw new UnpackingError(`trace-cmd report fails: ${status instanceof Error ? status.message : last || `status ${status}`}`);
}

const MOST_SAID = 4096;

/** A program of the user's path; null: there is none. */
function onPath(name: string): string | null {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    // An empty part would be the current folder, where a stranger's files can lie.
    if (folder === '') continue;
    const path = join(folder, name);
    try {
      const stats = statSync(path);
      if (stats.isFile() && (stats.mode & 0o111) !== 0) return path;
    } catch {
      // Not there.
    }
  }
  return null;
}
