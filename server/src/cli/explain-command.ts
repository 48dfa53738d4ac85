/** `mmu explain`: a recorded trace, read and explained. */
import { performance } from 'node:perf_hooks';
import { palette } from '../api/engine';
import { Explainer, explanationJson, explanationText, type Explanation, type Packing } from '../api/traces';
import { openStdin, openTrace, UnpackingError, type TraceSource } from '../node/trace-source';
import type { Arguments } from './commands';
import { INTERRUPTED, interruptibly, type Signals } from './interruptible';
import { explained, InputError, type Io } from './io';

/** Exit status of a trace that could not be read to its end. */
const BROKEN = 1;

export async function explainFile(args: Arguments, io: Io, signals: Signals = process): Promise<number> {
  const [path] = args.positionals;
  const name = path === '-' ? '<stdin>' : path;
  const options = optionsOf(args);
  const explanation = await interruptibly(
    'read',
    async (signal) => explain(await sourceOf(path, name, io, signal), name, options, io, signal),
    io,
    signals,
  );
  if (explanation.counts.events === 0 && explanation.ended !== 'interrupted')
    throw new InputError(`${name}: ${withoutEvents(explanation)}`);
  for (const { line, message, count } of explanation.problems)
    io.err(`${name}${line > 0 ? `:${line}` : ''}: warning: ${message}${count > 1 ? ` (${count} times)` : ''}\n`);
  print(explanation, name, args, io);
  return explanation.ended === 'whole' ? 0 : explanation.ended === 'interrupted' ? INTERRUPTED : BROKEN;
}

interface Options {
  readonly most: number;
  readonly lines?: { readonly from: number; readonly to: number };
}

const MOST_EPISODES = 200;

/** @throws InputError for what is no number */
function optionsOf({ options }: Arguments): Options {
  const { episodes, lines } = options;
  const most = typeof episodes === 'string' ? Number(episodes) : MOST_EPISODES;
  if (!Number.isInteger(most) || most < 0) throw new InputError(`--episodes takes a number, not ${String(episodes)}`);
  if (typeof lines !== 'string') return { most };
  const range = /^(\d+)-(\d+)$/.exec(lines);
  if (!range) throw new InputError(`--lines takes two numbers, as 1000-2000, not ${lines}`);
  return { most, lines: { from: Number(range[1]), to: Number(range[2]) } };
}

/** @throws InputError when it cannot be read, or is no trace */
async function sourceOf(path: string, name: string, io: Io, signal: AbortSignal): Promise<TraceSource> {
  let source;
  try {
    source = path === '-' ? await openStdin(io.input(), signal) : await openTrace(path, signal);
  } catch (error) {
    throw explained(name, error);
  }
  if ('refused' in source) throw new InputError(`${name}: ${source.refused}`);
  const strange = STRANGE[source.packing];
  if (strange) throw new InputError(`${name}: ${strange}`);
  return source;
}

const STRANGE: { readonly [packing in Packing]?: string } = {
  'perf.data': 'is a perf.data: explain what `perf script` prints of it',
  binary: 'is a binary file, and no trace that is known',
};

async function explain({ pieces }: TraceSource, name: string, options: Options, io: Io, signal: AbortSignal): Promise<Explanation> {
  const explainer = new Explainer(options);
  const progress = new Progress(explainer, io);
  try {
    for await (const piece of pieces) {
      explainer.push(piece);
      progress.show();
      if (signal.aborted) break;
    }
  } catch (error) {
    if (!(error instanceof UnpackingError)) throw explained(name, error);
    progress.end();
    explainer.reader.problems.add('unpacking', explainer.reader.lines, error.message);
    return explainer.end('broken');
  }
  progress.end();
  return explainer.end(signal.aborted ? 'interrupted' : 'whole');
}

function withoutEvents({ lines, counts, problems }: Explanation): string {
  const others = [...counts.others].sort(([, a], [, b]) => b.count - a.count)[0];
  const [problem] = problems;
  if (others) return `no event of KVM in ${lines} lines; others are, as ${others[0] || 'functions'} (line ${others[1].line})`;
  if (problem && lines === 0) return problem.message;
  return lines === 0 ? 'is empty' : `is no trace that is known: none of its ${lines} lines is an event`;
}

function print(explanation: Explanation, name: string, { options }: Arguments, io: Io): void {
  if (options.format === 'json') {
    for (const piece of explanationJson(explanation, name)) io.out(piece);
    return;
  }
  const brief = options.brief === true;
  for (const line of explanationText(explanation, { file: name, paint: palette(io.colors), brief })) io.out(`${line}\n`);
}

/** Milliseconds between two looks at how far it is. */
const EVERY = 500;

/** How far it is, on a terminal. */
class Progress {
  private last = performance.now();
  private shown = false;

  constructor(
    private readonly explainer: Explainer,
    private readonly io: Io,
  ) {}

  show(): void {
    const now = performance.now();
    if (now - this.last < EVERY) return;
    this.last = now;
    this.shown = true;
    const { lines, bytes } = this.explainer.reader;
    this.io.progress(`${lines.toLocaleString('en')} lines, ${(bytes / 2 ** 20).toFixed(0)}M`);
  }

  end(): void {
    if (this.shown) this.io.progress('');
  }
}
