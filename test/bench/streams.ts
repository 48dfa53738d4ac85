/**
 * Streams of accesses for the benchmarks, as files that the C baseline reads too: NAME.lo and NAME.hi (32-bit halves of linear
 * addresses), NAME.op (a byte each: 0 read, 1 write, 2 fetch). Synthetic ones are over 1 GiB and the same everywhere; the
 * recorded one is a real program's, as valgrind's lackey prints them.
 */
import { spawnSync } from 'node:child_process';
import { createReadStream, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const WINDOW_LO = 0;
const WINDOW_HI = 0x7f00;
const PAGES = 1 << 18;
const ACCESSES = 2_000_000;
const RECORDED = 4_000_000;
/** Zipf exponent: pages by rank are used with a probability of 1/rank^s. */
const SKEW = 0.99;

export interface Stream {
  readonly lo: Int32Array;
  readonly hi: Int32Array;
  readonly op: Uint8Array;
}

/** Generator xorshift32; the same numbers everywhere. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

const next = random(0x2545_f491);

/** Makers of page numbers; `seq` has none, since it strides. */
const PAGE_OF: { readonly [name: string]: (() => () => number) | undefined } = {
  hot: () => () => next() % 32,
  uniform: () => () => next() % PAGES,
  zipf,
};

function zipf(): () => number {
  const upTo = new Float64Array(PAGES);
  let total = 0;
  for (let rank = 0; rank < PAGES; rank++) upTo[rank] = total += 1 / (rank + 1) ** SKEW;
  const pageOf = Uint32Array.from({ length: PAGES }, (_, i) => i);
  for (let i = PAGES - 1; i > 0; i--) {
    const j = next() % (i + 1);
    [pageOf[i], pageOf[j]] = [pageOf[j], pageOf[i]];
  }
  return () => {
    const at = (next() / 0x1_0000_0000) * total;
    let low = 0;
    let high = PAGES - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (upTo[middle] < at) low = middle + 1;
      else high = middle;
    }
    return pageOf[low];
  };
}

function synthetic(name: string): Stream {
  const lo = new Int32Array(ACCESSES);
  const hi = new Int32Array(ACCESSES).fill(WINDOW_HI);
  const op = new Uint8Array(ACCESSES);
  const page = PAGE_OF[name]?.();
  for (let i = 0; i < ACCESSES; i++) {
    const offset = page ? page() * 4096 + (next() & 0xff8) : (i * 64) % (PAGES * 4096);
    lo[i] = WINDOW_LO + offset;
    op[i] = page ? Number((next() & 3) === 0) : Number((i & 3) === 0);
  }
  return { lo, hi, op };
}

/** The first accesses of `ls -R` over documentation; null where valgrind is not installed. */
async function recorded(folder: string): Promise<Stream | null> {
  const log = join(folder, 'lackey.txt');
  const args = ['--tool=lackey', '--trace-mem=yes', `--log-file=${log}`, 'ls', '-R', '/usr/share/doc'];
  if (spawnSync('valgrind', args, { stdio: 'ignore' }).status !== 0) return null;
  const lo = new Int32Array(RECORDED);
  const hi = new Int32Array(RECORDED);
  const op = new Uint8Array(RECORDED);
  let count = 0;
  const lines = createInterface({ input: createReadStream(log) });
  for await (const line of lines) {
    // `I  addr,size`, ` L addr,size`, ` S addr,size`, ` M addr,size` (modify counts as a write)
    const found = /^(?:I | ([LSM])) ([0-9a-f]+),/.exec(line);
    if (!found) continue;
    const address = BigInt(`0x${found[2]}`);
    lo[count] = Number(BigInt.asIntN(32, address));
    hi[count] = Number(address >> 32n);
    op[count] = found[1] === undefined ? 2 : found[1] === 'L' ? 0 : 1;
    if (++count === RECORDED) break;
  }
  lines.close();
  rmSync(log, { force: true });
  return { lo: lo.subarray(0, count), hi: hi.subarray(0, count), op: op.subarray(0, count) };
}

/** Prefix of a stream's files, made when they are not there; null when it cannot be recorded here. */
export async function streamFiles(name: 'hot' | 'seq' | 'uniform' | 'zipf' | 'real', folder: string): Promise<string | null> {
  const prefix = join(folder, name);
  if (existsSync(`${prefix}.op`)) return prefix;
  mkdirSync(folder, { recursive: true });
  const stream = name === 'real' ? await recorded(folder) : synthetic(name);
  if (!stream) return null;
  writeFileSync(`${prefix}.lo`, bytesOf(stream.lo));
  writeFileSync(`${prefix}.hi`, bytesOf(stream.hi));
  writeFileSync(`${prefix}.op`, stream.op);
  return prefix;
}

export function readStream(prefix: string): Stream {
  const halves = (ending: string): Int32Array => {
    const bytes = readFileSync(`${prefix}.${ending}`);
    return new Int32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  };
  return { lo: halves('lo'), hi: halves('hi'), op: new Uint8Array(readFileSync(`${prefix}.op`)) };
}

function bytesOf(halves: Int32Array): Uint8Array {
  return new Uint8Array(halves.buffer, halves.byteOffset, halves.byteLength);
}
