/** The `mmu` command: its entry. Streams, colours and exit status are here; what is done is in the commands. */
import { readFileSync, writeSync } from 'node:fs';
import { run } from './mmu';

/** Writes all of a text, waiting for a pipe that is full; ends quietly when its reader has gone (as in `mmu … | head`). */
function write(fd: 1 | 2, text: string): void {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EPIPE') process.exit(process.exitCode ?? 0);
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
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
  stdin: () => readFileSync(0),
  colors,
  width: process.stdout.isTTY ? process.stdout.columns : 0,
}).then(
  (status) => {
    process.exitCode = status;
    flush();
  },
  (error: unknown) => {
    process.exitCode = 70;
    flush();
    write(2, `mmu: internal error: ${error instanceof Error ? error.stack : String(error)}\n`);
  },
);
