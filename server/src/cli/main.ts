/** The `mmu` command: its entry. Streams, colours and exit status are here; what is done is in the commands. */
import { readSync, writeSync } from 'node:fs';
import { explained } from './io';
import { run } from './mmu';

/** The reader has gone: as a shell says of one that the signal ended, 128 and SIGPIPE. */
const BROKEN_PIPE = 141;

/** What is printed cannot be written (sysexits.h, EX_IOERR). */
const OUTPUT_FAILED = 74;

/** A fault of the program (sysexits.h, EX_SOFTWARE). */
const INTERNAL = 70;

class OutputError extends Error {}

/** Writes all of a text, waiting for a pipe that is full; ends quietly when its reader has gone (as in `mmu … | head`). */
function write(fd: 1 | 2, text: string): void {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EPIPE') process.exit(BROKEN_PIPE);
      if (code !== 'EAGAIN') throw new OutputError(explained(fd === 1 ? 'standard output' : 'standard error', error).message);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

/** @see Io.stdin */
function readStdin(most: number): Uint8Array {
  const pieces: Buffer[] = [];
  let length = 0;
  for (let got = 1; got > 0 && length <= most; length += got) {
    const piece = Buffer.alloc(Math.min(1 << 20, most + 1 - length));
    got = piece.length > 0 ? readSync(0, piece, 0, piece.length, null) : 0;
    pieces.push(piece.subarray(0, got));
  }
  return Buffer.concat(pieces);
}

let pending = '';

function flush(): void {
  if (pending === '') return;
  const text = pending;
  pending = '';
  write(1, text);
}

const colors = process.stdout.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb';

run(process.argv.slice(2), {
  out(text) {
    pending += text;
    if (pending.length > 1 << 16) flush();
  },
  err(text) {
    flush();
    write(2, text);
  },
  stdin: readStdin,
  input: () => process.stdin,
  progress(text) {
    if (process.stderr.isTTY) write(2, `\r\x1b[K${text}`);
  },
  colors,
  width: process.stdout.isTTY ? process.stdout.columns : 0,
}).then(end, fail);

function end(status: number): void {
  process.exitCode = status;
  try {
    flush();
  } catch (error) {
    fail(error);
  }
}

function fail(error: unknown): void {
  const output = error instanceof OutputError;
  process.exitCode = output ? OUTPUT_FAILED : INTERNAL;
  // What could not be written is not tried again.
  if (output) pending = '';
  else flush();
  write(2, output ? `mmu: ${error.message}\n` : `mmu: internal error: ${error instanceof Error ? error.stack : String(error)}\n`);
}
