/** A client of the language server for tests, over the streams of a real process or of a server in this one. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { build } from 'esbuild';
import { createConnection, createMessageConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-languageserver/node';
import type {
  ClientCapabilities,
  Diagnostic,
  DocumentDiagnosticReport,
  InitializeResult,
  MessageConnection,
  Position,
  PublishDiagnosticsParams,
  TextDocumentContentChangeEvent,
} from 'vscode-languageserver/node';
import type { Notifications } from '../../server/src/protocol/messages';
import { startServer } from '../../server/src/server';
import type { Runtime } from '../../server/src/workspace/runtime';

const children = new Set<ChildProcess>();

// A test that fails leaves its server; it must not keep the tests from ending.
after(() => children.forEach((child) => child.kill()));

let bundled: Promise<string> | null = null;

/** The folder of the server's bundles, made once; it goes when the process ends. */
export function bundles(): Promise<string> {
  return (bundled ??= (async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mmu-server-'));
    process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
    writeFileSync(join(folder, 'package.json'), '{ "type": "commonjs" }');
    await build({
      entryPoints: { server: 'server/src/node/main.ts' },
      outdir: folder,
      bundle: true,
      platform: 'node',
      format: 'cjs',
      target: 'node18',
      keepNames: true,
      logLevel: 'warning',
    });
    return folder;
  })());
}

export interface ClientOptions {
  readonly capabilities?: ClientCapabilities;
  readonly initializationOptions?: unknown;
  /** Answer to workspace/configuration. */
  readonly settings?: unknown;
  readonly workspaceFolders?: readonly { uri: string; name: string }[];
}

/** Asks for diagnostics, and cannot be told that there are others: it is answered when they are known. */
export const PULLS: ClientCapabilities = { textDocument: { diagnostic: {} } };

/** Asks for diagnostics, and again when it is told so, as most clients of today. */
export const REFRESHES: ClientCapabilities = { ...PULLS, workspace: { diagnostics: { refreshSupport: true } } };

export class LspClient {
  readonly published: PublishDiagnosticsParams[] = [];
  readonly logs: string[] = [];
  readonly runStates: Notifications['mmu/runState'][] = [];
  private readonly waiting = new Set<() => void>();
  result!: InitializeResult;
  /** The process of the server; null when it runs in this one. */
  process: ChildProcess | null = null;
  exitCode: Promise<number | null> = Promise.resolve(null);

  constructor(readonly connection: MessageConnection) {
    connection.onNotification('textDocument/publishDiagnostics', (params: PublishDiagnosticsParams) => this.note(this.published, params));
    connection.onNotification('window/logMessage', ({ message }: { message: string }) => this.note(this.logs, message));
    connection.onNotification('mmu/runState', (state: Notifications['mmu/runState']) => this.note(this.runStates, state));
    connection.onRequest('client/registerCapability', () => null);
    for (const each of ['workspace/diagnostic', 'workspace/inlayHint', 'workspace/codeLens'])
      connection.onRequest(`${each}/refresh`, () => null);
  }

  async initialize({
    capabilities = {},
    initializationOptions,
    settings,
    workspaceFolders,
  }: ClientOptions = {}): Promise<InitializeResult> {
    this.connection.onRequest('workspace/configuration', ({ items }: { items: unknown[] }) => items.map(() => settings ?? null));
    this.connection.listen();
    this.result = await this.connection.sendRequest('initialize', {
      processId: null,
      rootUri: null,
      capabilities:
        settings === undefined ? capabilities : { ...capabilities, workspace: { ...capabilities.workspace, configuration: true } },
      initializationOptions,
      workspaceFolders: workspaceFolders ?? null,
    });
    await this.connection.sendNotification('initialized', {});
    return this.result;
  }

  open(uri: string, text: string, version = 1): Promise<void> {
    return this.connection.sendNotification('textDocument/didOpen', { textDocument: { uri, languageId: 'mmu', version, text } });
  }

  change(uri: string, version: number, contentChanges: TextDocumentContentChangeEvent[]): Promise<void> {
    return this.connection.sendNotification('textDocument/didChange', { textDocument: { uri, version }, contentChanges });
  }

  close(uri: string): Promise<void> {
    return this.connection.sendNotification('textDocument/didClose', { textDocument: { uri } });
  }

  async diagnostics(uri: string): Promise<Diagnostic[]> {
    const report = await this.request<DocumentDiagnosticReport>('textDocument/diagnostic', { textDocument: { uri } });
    return report.kind === 'full' ? report.items : [];
  }

  /** What is found once the runs of a version have ended, however long that takes. */
  async diagnosticsOfRun(uri: string, version: number): Promise<Diagnostic[]> {
    await this.until(this.runStates, (each) => each.uri === uri && each.version === version && each.state !== 'running');
    return this.diagnostics(uri);
  }

  at<R>(method: string, uri: string, position: Position): Promise<R> {
    return this.request(method, { textDocument: { uri }, position });
  }

  request<R>(method: string, params: unknown): Promise<R> {
    return this.connection.sendRequest(method, params);
  }

  /** The first thing that fits, waiting until there is one. */
  async until<T>(list: readonly T[], fits: (thing: T) => boolean): Promise<T> {
    for (;;) {
      const found = list.find(fits);
      if (found) return found;
      await new Promise<void>((resolve) => this.waiting.add(resolve));
    }
  }

  private note<T>(list: T[], thing: T): void {
    list.push(thing);
    for (const resolve of this.waiting) resolve();
    this.waiting.clear();
  }

  /** Shuts the server down and, where it is a process, waits for its end. */
  async end(): Promise<number | null> {
    await this.request('shutdown', undefined);
    if (this.process) await this.connection.sendNotification('exit');
    const code = await this.exitCode;
    this.connection.dispose();
    return code;
  }
}

/** The server as a process of its own, over standard input and output. */
export async function processClient(options: ClientOptions = {}): Promise<LspClient> {
  const child = spawn(process.execPath, [join(await bundles(), 'server.js'), '--stdio'], { stdio: ['pipe', 'pipe', 'pipe'] });
  children.add(child);
  child.on('exit', () => children.delete(child));
  const client = new LspClient(createMessageConnection(new StreamMessageReader(child.stdout), new StreamMessageWriter(child.stdin)));
  client.process = child;
  child.stderr.setEncoding('utf8').on('data', (text: string) => client.logs.push(text));
  client.exitCode = new Promise((resolve) => child.on('exit', resolve));
  await client.initialize(options);
  return client;
}

/** The server in this process, with a runtime of the test's own. */
export async function threadClient(runtime: Runtime, options: ClientOptions = {}): Promise<LspClient> {
  const up = new PassThrough();
  const down = new PassThrough();
  startServer(createConnection(new StreamMessageReader(up), new StreamMessageWriter(down)), runtime);
  const client = new LspClient(createMessageConnection(new StreamMessageReader(down), new StreamMessageWriter(up)));
  await client.initialize(options);
  return client;
}
