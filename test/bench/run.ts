/**
 * `npm run bench`: the engine against a C baseline compiled on the spot. CPU time; both sides warmed up; rounds interleaved in
 * changing order, in new processes now and then; the same work required of both (checksums, references, walks, hits, faults) before any time counts.
 * `--rounds N` (at least 7), `--only WORD` for benchmarks whose name has it.
 */
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { BuildOptions } from 'esbuild';
import { streamFiles } from './streams';

const HERE = dirname(fileURLToPath(import.meta.url));
const CACHE = join(HERE, '..', '..', '.cache', 'bench');
const COMPILE = ['-O3', '-march=native'];

type StreamName = Parameters<typeof streamFiles>[0];

interface Side {
  readonly program: 'c' | 'engine' | 'no-journal';
  readonly options?: readonly string[];
}

interface Benchmark {
  readonly name: string;
  readonly stream: StreamName;
  /** Path and page sizes, as c/baseline.c takes them. */
  readonly work: readonly [path: string, guest: string, second: string];
  readonly measured: Side;
  readonly against: Side;
  /** What the median ratio is held to; undefined: only told. */
  readonly most?: number;
  readonly aim?: number;
}

const ENGINE: Side = { program: 'engine' };
const C: Side = { program: 'c' };

const BENCHMARKS: readonly Benchmark[] = [
  { name: 'L1 TLB hit, real trace', stream: 'real', work: ['tlb2', '4k', '4k'], measured: ENGINE, against: C, most: 3.2, aim: 2.0 },
  { name: 'L1 TLB hit, 32 hot pages', stream: 'hot', work: ['tlb2', '4k', '4k'], measured: ENGINE, against: C },
  { name: 'sequential, TLB + 2-D walk', stream: 'seq', work: ['tlb2', '4k', '4k'], measured: ENGINE, against: C },
  { name: '2-D walk, 24 references', stream: 'uniform', work: ['walk2', '4k', '4k'], measured: ENGINE, against: C, most: 1.5, aim: 1.2 },
  { name: '2-D walk, 2M leaves', stream: 'uniform', work: ['walk2', '2m', '2m'], measured: ENGINE, against: C, most: 1.8, aim: 1.5 },
  { name: '2-D walk, 1G leaves', stream: 'uniform', work: ['walk2', '1g', '1g'], measured: ENGINE, against: C, most: 1.8, aim: 1.5 },
  { name: '4-level (shadow) walk', stream: 'uniform', work: ['walk1', '4k', '4k'], measured: ENGINE, against: C, most: 2.3, aim: 1.7 },
  { name: 'TLB + 2-D walk, zipf', stream: 'zipf', work: ['tlb2', '4k', '4k'], measured: ENGINE, against: C, most: 2.0, aim: 1.5 },
  { name: 'TLB + 2-D walk, uniform', stream: 'uniform', work: ['tlb2', '4k', '4k'], measured: ENGINE, against: C, most: 2.0, aim: 1.5 },
  { name: 'TLB + shadow walk, uniform', stream: 'uniform', work: ['tlb1', '4k', '4k'], measured: ENGINE, against: C },
  {
    name: 'journal on: 2-D walk',
    stream: 'uniform',
    work: ['walk2', '4k', '4k'],
    measured: { program: 'engine', options: ['journal'] },
    against: ENGINE,
    most: 1.8,
    aim: 1.5,
  },
  {
    name: 'journal on and kept: 2-D walk',
    stream: 'uniform',
    work: ['walk2', '4k', '4k'],
    measured: { program: 'engine', options: ['kept'] },
    against: ENGINE,
  },
  {
    name: 'journal on: TLB hits, real trace',
    stream: 'real',
    work: ['tlb2', '4k', '4k'],
    measured: { program: 'engine', options: ['journal'] },
    against: ENGINE,
    most: 1.8,
    aim: 1.5,
  },
  {
    name: 'journal off, against none: walk',
    stream: 'uniform',
    work: ['walk2', '4k', '4k'],
    measured: ENGINE,
    against: { program: 'no-journal' },
    most: 1.1,
    aim: 1.03,
  },
  {
    name: 'journal off, against none: hits',
    stream: 'real',
    work: ['tlb2', '4k', '4k'],
    measured: ENGINE,
    against: { program: 'no-journal' },
    most: 1.1,
    aim: 1.03,
  },
  {
    name: 'second engine: zipf',
    stream: 'zipf',
    work: ['tlb2', '4k', '4k'],
    measured: { program: 'engine', options: ['second'] },
    against: ENGINE,
    most: 1.1,
    aim: 1.03,
  },
  {
    name: 'second engine: hits, real trace',
    stream: 'real',
    work: ['tlb2', '4k', '4k'],
    measured: { program: 'engine', options: ['second'] },
    against: ENGINE,
    most: 1.1,
    aim: 1.03,
  },
];

interface Reading {
  readonly cpu: number;
  readonly count: number;
  readonly frames: number;
  readonly rows?: number;
  readonly [fact: string]: number | undefined;
}

/** Then both sides start anew: where code and tables come to lie is luck, and moves a process by a third. */
const ROUNDS_A_PROCESS = 3;

/** What both sides must agree on. */
const FACTS = ['count', 'sum', 'references', 'walks', 'hits1', 'hits2', 'faults'];

/** A side's process; it runs the stream once for each line. */
class Runner {
  private readonly child: ChildProcess;
  private waiting: ((line: string) => void) | null = null;

  constructor(side: Side, prefix: string, work: readonly string[]) {
    const args = [prefix, ...work, ...(side.options ?? [])];
    const [command, first] =
      side.program === 'c' ? [join(CACHE, 'baseline'), []] : [process.execPath, [join(CACHE, `${side.program}.cjs`)]];
    this.child = spawn(command, [...first, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
    createInterface({ input: this.child.stdout! }).on('line', (line) => this.waiting?.(line));
    this.child.on('exit', () => this.waiting?.('null'));
  }

  async once(): Promise<Reading> {
    const line = await new Promise<string>((resolve) => {
      this.waiting = resolve;
      this.child.stdin!.write('\n');
    });
    const reading = JSON.parse(line) as Reading | null;
    if (!reading) throw new Error(`${this.child.spawnfile} ${this.child.spawnargs.join(' ')} ended`);
    return reading;
  }

  end(): void {
    this.child.stdin!.end();
  }
}

async function main(): Promise<void> {
  const rounds = Math.max(7, Number(option('--rounds') ?? 9));
  const only = option('--only');
  await prepare();
  console.log(`${cpus()[0].model}, ${cpus().length} processors; Node ${process.version}; gcc ${COMPILE.join(' ')}; ${rounds} rounds`);
  console.log('ns an access: median of CPU time; ratio: median of the rounds, its range, and ratio of the minima\n');
  let missed = 0;
  for (const each of BENCHMARKS) {
    if (only && !each.name.includes(only)) continue;
    missed += await bench(each, rounds);
  }
  console.log(missed === 0 ? '\nall within their limits' : `\n${missed} above their limits`);
}

async function bench(each: Benchmark, rounds: number): Promise<number> {
  const prefix = await streamFiles(each.stream, CACHE);
  if (!prefix) {
    console.log(`${each.name.padEnd(34)} skipped: the trace cannot be recorded here (valgrind)`);
    return 0;
  }
  const ours: Reading[] = [];
  const theirs: Reading[] = [];
  while (ours.length < rounds) {
    const measured = new Runner(each.measured, prefix, each.work);
    const against = new Runner(each.against, prefix, each.work);
    try {
      for (let i = 0; i < 3; i++) await measured.once();
      for (let i = 0; i < (each.against.program === 'c' ? 1 : 3); i++) await against.once();
      for (let i = 0; i < ROUNDS_A_PROCESS && ours.length < rounds; i++) {
        const first = ours.length % 2 === 0;
        if (first) ours.push(await measured.once());
        theirs.push(await against.once());
        if (!first) ours.push(await measured.once());
      }
    } finally {
      measured.end();
      against.end();
    }
  }
  const different = FACTS.filter((fact) => ours[0][fact] !== theirs[0][fact]);
  if (different.length > 0) {
    console.log(
      `${each.name.padEnd(34)} DIFFERENT WORK: ${different.map((fact) => `${fact} ${ours[0][fact]}, not ${theirs[0][fact]}`).join('; ')}`,
    );
    return 1;
  }
  return report(each, ours, theirs);
}

function report(each: Benchmark, ours: readonly Reading[], theirs: readonly Reading[]): number {
  const ratios = ours.map(({ cpu }, i) => cpu / theirs[i].cpu).sort((a, b) => a - b);
  const cost = (readings: readonly Reading[]): number[] => readings.map(({ cpu, count }) => cpu / count).sort((a, b) => a - b);
  const [mine, other] = [cost(ours), cost(theirs)];
  const ratio = median(ratios);
  const minima = mine[0] / other[0];
  const { most = Infinity, aim = 0 } = each;
  const verdict = ratio <= aim ? 'aim reached' : ratio <= most ? 'within' : 'ABOVE';
  console.log(
    `${each.name.padEnd(34)} ${fixed(median(mine))} against ${fixed(median(other))} ns  ratio ${ratio.toFixed(2)} (${ratios[0].toFixed(2)}–${ratios.at(-1)!.toFixed(2)}), minima ${minima.toFixed(2)}` +
      (each.most === undefined ? '' : `  at most ${most}, aim ${aim}: ${verdict}`),
  );
  const { rows, frames, count } = ours[0];
  const more = (text: string): void => console.log(`${''.padEnd(34)} ${text}`);
  if (rows) more(`${(rows / count).toFixed(2)} rows of 20 bytes an access`);
  if (each.name === '2-D walk, 24 references')
    more(`${frames} frames of guest and EPT tables for 1 GiB: ${((frames * 4096) / (1 << 18)).toFixed(1)} bytes a mapped 4K page`);
  return ratio <= most ? 0 : 1;
}

async function prepare(): Promise<void> {
  mkdirSync(CACHE, { recursive: true });
  const { status } = spawnSync('gcc', [...COMPILE, '-o', join(CACHE, 'baseline'), join(HERE, 'c', 'baseline.c')], { stdio: 'inherit' });
  if (status !== 0) throw new Error('the C baseline needs gcc');
  const options = {
    entryPoints: [join(HERE, 'engine.ts')],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    logLevel: 'warning',
  } satisfies BuildOptions;
  await build({ ...options, outfile: join(CACHE, 'engine.cjs') });
  await build({
    ...options,
    outfile: join(CACHE, 'no-journal.cjs'),
    plugins: [
      {
        name: 'no-journal',
        setup({ onResolve }) {
          onResolve({ filter: /journal\/journal$|^\.\/journal$/ }, () => ({ path: join(HERE, 'no-journal.ts') }));
        },
      },
    ],
  });
}

function option(name: string): string | undefined {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
}

function median(ascending: readonly number[]): number {
  return ascending[ascending.length >> 1];
}

function fixed(value: number): string {
  return value.toFixed(1).padStart(6);
}

await main();
