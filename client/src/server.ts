/**
 * The language server as the features see it: typed requests, its notifications, its state. Nothing here knows the language;
 * what a scenario means is asked of the server.
 */
import * as vscode from 'vscode';
import { State, WorkDoneProgress } from 'vscode-languageclient';
import type { BaseLanguageClient, LanguageClientOptions } from 'vscode-languageclient';
import { EXPLAIN_COMMAND, SHOW_TRACE_COMMAND } from '../../server/src/protocol/messages';
import type { ClientRequests, InitializationOptions, Notifications, Requests, RunInfo } from '../../server/src/protocol/messages';
import { findScenarios, readFile, readFolder } from './files';
import { messageOf } from './messages';

/** Makes the client: over IPC on the desktop, over a web worker in the browser. */
export type CreateClient = (id: string, name: string, options: LanguageClientOptions) => BaseLanguageClient;

export type RunState = Notifications['mmu/runState'];

/** `mmu` is also the section of settings that the client reads for `mmu.trace.server`. */
const ID = 'mmu';
const NAME = 'MMU Scenarios';

/** VS Code's own padding of a hint is a third of a character: a blank more sets it off from the text. */
function setOff(hint: vscode.InlayHint): vscode.InlayHint {
  if (hint.paddingLeft && typeof hint.label === 'string') hint.label = ` ${hint.label} `;
  return hint;
}

export class Server implements vscode.Disposable {
  readonly output = vscode.window.createOutputChannel(NAME, { log: true });
  private readonly client: BaseLanguageClient;
  private readonly runState = new vscode.EventEmitter<RunState>();
  private readonly running = new vscode.EventEmitter<boolean>();
  private readonly trusting: vscode.Disposable;
  /** The last state heard of each document, by URI, for those who come later. */
  private readonly states = new Map<string, RunState>();

  /** A document's runs started, ended or failed. */
  readonly onRunState = this.runState.event;
  /** The server started (true) or stopped. */
  readonly onRunning = this.running.event;

  constructor(create: CreateClient, options: InitializationOptions) {
    this.client = create(ID, NAME, {
      documentSelector: [{ language: 'mmu' }],
      outputChannel: this.output,
      // Asked for at each start.
      initializationOptions: (): InitializationOptions => ({
        ...options,
        readFiles: true,
        findFiles: true,
        commandLinks: true,
        trusted: vscode.workspace.isTrusted,
      }),
      markdown: { supportHtml: false, isTrusted: { enabledCommands: [SHOW_TRACE_COMMAND, EXPLAIN_COMMAND] } },
      middleware: {
        provideInlayHints: async (document, range, token, next) => (await next(document, range, token))?.map(setOff),
      },
    });
    this.client.onNotification('mmu/runState', (state: RunState) => {
      this.states.set(state.uri, state);
      this.runState.fire(state);
    });
    this.trusting = vscode.workspace.onDidGrantWorkspaceTrust(() => {
      if (this.isRunning) void this.client.sendNotification('mmu/trusted');
    });
    this.answer('mmu/readFile', readFile);
    this.answer('mmu/readFolder', ({ uri }) => readFolder(uri));
    this.answer('mmu/findFiles', findScenarios);
    this.client.onDidChangeState(({ newState }) => {
      if (newState !== State.Starting) this.running.fire(newState === State.Running);
      if (newState === State.Stopped) this.states.clear();
    });
  }

  get isRunning(): boolean {
    return this.client.isRunning();
  }

  start(): Promise<void> {
    return this.client.start();
  }

  async stop(): Promise<void> {
    // A server that hangs or is gone cannot be stopped politely; it is left behind.
    await this.client.stop().catch((error: unknown) => this.output.warn(`The language server did not stop: ${messageOf(error)}`));
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.client.start();
  }

  stateOf(uri: string): RunState | null {
    return this.states.get(uri) ?? null;
  }

  runsOf(uri: string): readonly RunInfo[] {
    return this.stateOf(uri)?.runs ?? [];
  }

  request<M extends keyof Requests>(
    method: M,
    params: Requests[M]['params'] & { workDoneToken?: string },
    token?: vscode.CancellationToken,
  ): Promise<Requests[M]['result']> {
    // An undefined token would be sent as a second parameter.
    return token ? this.client.sendRequest(method, params, token) : this.client.sendRequest(method, params);
  }

  /** Listens to the progress of a request that was sent with this token. */
  onProgress(token: string, report: (message: string | undefined, percentage: number | undefined) => void): vscode.Disposable {
    return this.client.onProgress(WorkDoneProgress.type, token, (value) => {
      if (value.kind !== 'end') report(value.message, value.percentage);
    });
  }

  private answer<M extends keyof ClientRequests>(
    method: M,
    handle: (params: ClientRequests[M]['params']) => Promise<ClientRequests[M]['result']>,
  ): void {
    this.client.onRequest(method, handle);
  }

  dispose(): void {
    this.trusting.dispose();
    this.runState.dispose();
    this.running.dispose();
    this.output.dispose();
  }
}
