/**
 * `npm run bench:lsp`: how long a document's questions wait beside one that is much work. A real server over stdio; a sample is
 * open and has run; symbols, hover, completion and diagnostics of it are asked for in turn, alone and while the other document
 * is open and edited all the time, in changing order. `--rounds N` of each (6), `--only WORD` for files whose name has it.
 * Fails when a 95th percentile is above the limit.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-languageserver/node';
import type { MessageConnection } from 'vscode-languageserver/node';
import { HEAVY_TEXTS } from '../support/heavy';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const CACHE = join(ROOT, '.cache', 'bench', 'lsp');
/** Cases kept beside the repository; used when they are there. */
const CASES = join(ROOT, '..', 'shared', 'cases', 'blocking');
const SAMPLE = join(ROOT, 'samples', 'first-touch.mmu');

/** Milliseconds that an answer may take, at the 95th percentile. */
const MOST = 100;
/** Milliseconds of a round, and between two edits of the other document. */
const ROUND = 2000;
const EDIT_EVERY = 150;

const QUESTIONS = {
  symbols: 'textDocument/documentSymbol',
  hover: 'textDocument/hover',
  completion: 'textDocument/completion',
  diagnostics: 'textDocument/diagnostic',
} as const;
type Name = keyof typeof QUESTIONS;
const NAMES = Object.keys(QUESTIONS) as Name[];
type Times = { readonly [name in Name]: number[] };

class Session {
  private version = 1;

  private constructor(
    private readonly child: ChildProcess,
    private readonly connection: MessageConnection,
  ) {}

  static async start(): Promise<Session> {
    const child = spawn(process.execPath, [join(CACHE, 'server.js'), '--stdio'], { stdio: ['pipe', 'pipe', 'inherit'] });
    const connection = createMessageConnection(new StreamMessageReader(child.stdout!), new StreamMessageWriter(child.stdin!));
    for (const each of ['workspace/diagnostic', 'workspace/inlayHint', 'workspace/codeLens'])
      connection.onRequest(`${each}/refresh`, () => null);
    // The hardest for a server: nothing is waited for after an edit.
    connection.onRequest('workspace/configuration', () => [{ run: { delay: 0 } }]);
    connection.listen();
    const workspace = { configuration: true, diagnostics: { refreshSupport: true } };
    await connection.sendRequest('initialize', {
      processId: null,
      rootUri: null,
      capabilities: { textDocument: { diagnostic: {} }, workspace },
    });
    await connection.sendNotification('initialized', {});
    return new Session(child, connection);
  }

  /** Opens a document and waits for its runs. */
  async open(uri: string, text: string): Promise<void> {
    const ran = new Promise<void>((resolve) =>
      this.connection.onNotification('mmu/runState', (state: { uri: string; state: string }) => {
        if (state.uri === uri && state.state === 'done') resolve();
      }),
    );
    await this.send('didOpen', { textDocument: { uri, languageId: 'mmu', version: 1, text } });
    await ran;
  }

  async ask(name: Name, uri: string, position: object): Promise<number> {
    const since = performance.now();
    await this.connection.sendRequest(QUESTIONS[name], { textDocument: { uri }, position });
    return performance.now() - since;
  }

  /** Keeps a document open and edited until the function that it returns is called. */
  async disturb(uri: string, text: string): Promise<() => Promise<void>> {
    await this.send('didOpen', { textDocument: { uri, languageId: 'mmu', version: ++this.version, text } });
    const place = { line: 0, character: 0 };
    let edits = 0;
    const timer = setInterval(() => {
      const typed = edits++ % 20 === 19 ? '\n' : ' ';
      void this.send('didChange', {
        textDocument: { uri, version: ++this.version },
        contentChanges: [{ range: { start: place, end: place }, text: typed }],
      });
    }, EDIT_EVERY);
    return async () => {
      clearInterval(timer);
      await this.send('didClose', { textDocument: { uri } });
    };
  }

  end(): void {
    this.connection.dispose();
    this.child.kill();
  }

  private send(method: string, params: object): Promise<void> {
    return this.connection.sendNotification(`textDocument/${method}`, params);
  }
}

const noTimes = (): Times => ({ symbols: [], hover: [], completion: [], diagnostics: [] });

async function measure(text: string, rounds: number): Promise<{ readonly alone: Times; readonly beside: Times }> {
  const session = await Session.start();
  const sample = readFileSync(SAMPLE, 'utf8');
  const uri = pathToFileURL(SAMPLE).href;
  await session.open(uri, sample);
  const before = sample.slice(0, sample.indexOf('0x40_0123')).split('\n');
  const position = { line: before.length - 1, character: before[before.length - 1].length };
  const times = { alone: noTimes(), beside: noTimes() };
  const askFor = async (milliseconds: number, into: Times): Promise<void> => {
    for (const end = performance.now() + milliseconds; performance.now() < end;) {
      for (const name of NAMES) into[name].push(await session.ask(name, uri, position));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  await askFor(1000, noTimes());
  for (let round = 0; round < rounds; round++) {
    for (const how of round % 2 === 0 ? (['alone', 'beside'] as const) : (['beside', 'alone'] as const)) {
      const stop = how === 'beside' ? await session.disturb('file:///scenarios/heavy.mmu', text) : null;
      await askFor(ROUND, times[how]);
      await stop?.();
    }
  }
  session.end();
  return times;
}

function percentile(times: readonly number[], part: number): number {
  return [...times].sort((a, b) => a - b)[Math.min(times.length - 1, Math.floor(times.length * part))];
}

function option(name: string): string | undefined {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
}

async function main(): Promise<void> {
  mkdirSync(CACHE, { recursive: true });
  writeFileSync(join(CACHE, 'package.json'), '{ "type": "commonjs" }\n');
  await build({
    absWorkingDir: ROOT,
    entryPoints: { server: 'server/src/node/main.ts' },
    outdir: CACHE,
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'cjs',
    target: 'node18',
    logLevel: 'warning',
  });
  const cases = existsSync(CASES) ? readdirSync(CASES).filter((name) => name.endsWith('.mmu')) : [];
  const texts = [...cases.map((name) => [name, readFileSync(join(CASES, name), 'utf8')] as const), ...Object.entries(HEAVY_TEXTS)].filter(
    ([name]) => name.includes(option('--only') ?? ''),
  );
  const ms = (value: number): string => value.toFixed(1);
  console.log(
    '| edited beside | question | p50, ms (alone) | p95, ms (alone) | ratio of p95 | longest, ms |\n| --- | --- | --- | --- | --- | --- |',
  );
  let wrong = 0;
  for (const [name, text] of texts) {
    const { alone, beside } = await measure(text, Number(option('--rounds') ?? 6));
    for (const question of NAMES) {
      const [p50, p95] = [0.5, 0.95].map((part) => percentile(beside[question], part));
      const [alone50, alone95] = [0.5, 0.95].map((part) => percentile(alone[question], part));
      const over = p95 > MOST;
      if (over) wrong++;
      const cells = [`${ms(p50)} (${ms(alone50)})`, `${ms(p95)} (${ms(alone95)})${over ? ' ✗' : ''}`, ms(p95 / alone95), ms(Math.max(...beside[question]))]; // prettier-ignore
      console.log(`| ${name} | ${question} | ${cells.join(' | ')} |`);
    }
  }
  console.log(wrong === 0 ? `\nall within ${MOST} ms at the 95th percentile` : `\n${wrong} above ${MOST} ms at the 95th percentile`);
  process.exitCode = wrong === 0 ? 0 : 1;
}

await main();
