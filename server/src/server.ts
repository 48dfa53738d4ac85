/** The language server: what the client says to the workspace and the services, and what they answer back. Routes only. */
import {
  CodeLensRefreshRequest,
  DidChangeConfigurationNotification,
  DidChangeWatchedFilesNotification,
  TextDocuments,
  TextDocumentSyncKind,
} from 'vscode-languageserver';
import type { Connection, InitializeParams, ServerCapabilities } from 'vscode-languageserver';
import { TextDocument } from 'vscode-languageserver-textdocument';
import type { ClientRequests, InitializationOptions, Notifications } from './protocol/messages';
import { DiagnosticReports } from './routes/diagnostics';
import { Guard } from './routes/guard';
import { routeLanguage } from './routes/language';
import { routePanel } from './routes/panel';
import { ProgressReports } from './routes/progress';
import { LEGEND } from './services/semantic-tokens';
import type { ClientAbilities, Core } from './routes/core';
import { Allowed } from './workspace/allowed';
import { FileReader } from './workspace/file-reader';
import { Files, shareable } from './workspace/files';
import { Edits } from './workspace/edits';
import { Folders } from './workspace/folders';
import { changesOf } from './workspace/moves';
import { Carried } from './workspace/carried';
import { Inquiries } from './routes/inquiries';
import { WorkerPool } from './workspace/pool';
import { Runs } from './workspace/runs';
import type { Runtime } from './workspace/runtime';
import { Scripts } from './workspace/scripts';
import { DEFAULTS, readSettings, SECTION } from './workspace/user-settings';

declare const MMU_VERSION: string;

/** Workers at most: documents of their own, with no other one in the way. */
const WORKERS = 6;

/** Milliseconds that an answer waits for a run before it does without. */
const PATIENCE = 2000;

/** Serves a client until it says goodbye. */
export function startServer(connection: Connection, runtime: Runtime): void {
  const log = (message: string): void => connection.console.error(message);
  const guard = new Guard(log);
  connection.onInitialize((params) => {
    const server = new Server(connection, runtime, guard, params);
    return {
      capabilities: server.capabilities(),
      serverInfo: { name: 'MMU Scenarios', version: typeof MMU_VERSION === 'string' ? MMU_VERSION : undefined },
    };
  });
  connection.listen();
}

class Server implements Core {
  readonly client: ClientAbilities;
  readonly carried = new Carried();
  readonly edits = new Edits();
  readonly documents = new TextDocuments<TextDocument>({
    create: (uri, languageId, version, content) => TextDocument.create(uri, languageId, version, content),
    update: (document, changes, version) => {
      const whole = changes.every((each) => 'range' in each) ? '' : document.getText();
      const updated = TextDocument.update(document, changes, version);
      const edits = changesOf(
        changes,
        () => whole,
        () => updated.getText(),
      );
      this.carried.edited(document.uri, edits);
      this.edits.edited(document.uri, version, edits);
      return updated;
    },
  });
  readonly files: Files;
  /** Files that are loaded into memory. */
  private readonly dumps: Files<Uint8Array>;
  readonly scripts: Scripts;
  readonly runs: Runs;
  readonly inquiries: Inquiries;
  settings = DEFAULTS;
  /** Nothing runs before the client has said how. */
  private setReady!: () => void;
  private readonly allowed: Allowed;
  readonly folders: Folders;
  private readonly diagnostics: DiagnosticReports;
  private readonly progress: ProgressReports;

  constructor(
    readonly connection: Connection,
    readonly runtime: Runtime,
    readonly guard: Guard,
    params: InitializeParams,
  ) {
    const options = (params.initializationOptions ?? {}) as InitializationOptions;
    this.client = abilities(params, options);
    const workspace = params.workspaceFolders?.map(({ uri }) => uri) ?? (params.rootUri ? [params.rootUri] : []);
    this.allowed = new Allowed(workspace, options.trusted !== false);
    this.folders = new Folders(this.allowed, (uri) =>
      options.readFiles ? this.askClient('mmu/readFolder', { uri }) : runtime.readFolder(uri),
    );
    const reader = new FileReader(runtime, options.readFiles ? (asked) => this.askClient('mmu/readFile', asked) : null, this.allowed);
    this.files = new Files((uri, document) => reader.text(uri, document));
    this.dumps = new Files(async (uri, document) => shareable(await reader.bytes(uri, document)));
    this.scripts = new Scripts((uri) => this.documents.get(uri), this.files, this.dumps, this.allowed);
    const log = (message: string): void => connection.console.warn(message);
    const pool = new WorkerPool({
      size: WORKERS,
      spawn: () => runtime.spawnWorker(options.workerUrl, log),
      later: (call, milliseconds) => void runtime.later(call, milliseconds),
      lost: guard.event('worker', (uris: readonly string[]) => this.runs.lost(uris)),
    });
    this.progress = new ProgressReports(
      this.client.workDoneProgress ? () => connection.window.createWorkDoneProgress() : null,
      runtime.later,
      guard,
    );
    const ready = new Promise<void>((resolve) => (this.setReady = resolve));
    runtime.later(this.setReady, PATIENCE);
    this.runs = new Runs({
      ready,
      scripts: this.scripts,
      pool,
      log,
      later: (call, milliseconds) => runtime.later(call, milliseconds),
      settings: () => this.settings.run,
      now: runtime.now,
      events: this.runsEvents(),
    });
    this.inquiries = new Inquiries(this.runs, pool, (promise) => this.soon(promise));
    this.diagnostics = new DiagnosticReports(this);
    routeLanguage(this);
    routePanel(this, this.progress);
    this.routeDocuments();
    connection.onNotification(
      'mmu/trusted',
      guard.event('trusted', () => {
        this.allowed.trusted = true;
        this.reconsiderAll();
      }),
    );
    connection.onInitialized(
      guard.event('initialized', () => {
        pool.start();
        return this.initialized();
      }),
    );
    connection.onShutdown(() => pool.dispose());
  }

  capabilities(): ServerCapabilities {
    return {
      textDocumentSync: { openClose: true, change: TextDocumentSyncKind.Incremental, save: true },
      hoverProvider: true,
      inlayHintProvider: true,
      codeLensProvider: {},
      completionProvider: { triggerCharacters: [' ', '.', '(', '[', '"', '/'], resolveProvider: true },
      signatureHelpProvider: { triggerCharacters: ['(', ',', '[', ' '] },
      documentSymbolProvider: true,
      workspaceSymbolProvider: true,
      foldingRangeProvider: true,
      selectionRangeProvider: true,
      documentLinkProvider: {},
      definitionProvider: true,
      referencesProvider: true,
      documentHighlightProvider: true,
      renameProvider: { prepareProvider: true },
      documentFormattingProvider: true,
      documentRangeFormattingProvider: true,
      codeActionProvider: { codeActionKinds: ['quickfix', 'refactor.rewrite'] },
      semanticTokensProvider: { legend: LEGEND, full: { delta: true }, range: true },
      ...(this.client.pullsDiagnostics && {
        diagnosticProvider: { identifier: SECTION, interFileDependencies: true, workspaceDiagnostics: false },
      }),
      workspace: { workspaceFolders: { supported: true, changeNotifications: true } },
    };
  }

  /* -------------------------------------------------------------- what routes ask for */

  async findFiles(): Promise<readonly string[]> {
    return this.client.findFiles ? this.askClient('mmu/findFiles', {}) : this.runtime.findFiles(this.allowed.workspace);
  }

  private askClient<M extends keyof ClientRequests>(method: M, params: ClientRequests[M]['params']): Promise<ClientRequests[M]['result']> {
    return this.connection.sendRequest(method, params);
  }

  soon<T>(promise: Promise<T>): Promise<T | null> {
    return new Promise((resolve, reject) => {
      const cancel = this.runtime.later(() => resolve(null), PATIENCE);
      promise.then(resolve, reject).finally(cancel);
    });
  }

  /* -------------------------------------------------------------- documents and files */

  private routeDocuments(): void {
    const { documents, guard, runs } = this;
    const opened = new Set<string>();
    documents.onDidOpen(
      guard.event('open', ({ document }) => {
        opened.add(document.uri);
        this.lookAgain();
      }),
    );
    // Fired when a document is opened, too.
    documents.onDidChangeContent(
      guard.event('change', async ({ document: { uri } }) => {
        runs.changed(uri, opened.delete(uri) ? 'open' : 'edit');
        for (const importer of this.scripts.importersOf(uri)) this.reconsider(importer);
        if (!this.client.pullsDiagnostics) await this.diagnostics.changed(uri);
      }),
    );
    documents.onDidSave(
      guard.event('save', ({ document }) => {
        this.lookAgain();
        runs.changed(document.uri, 'save');
      }),
    );
    documents.onDidClose(
      guard.event('close', async ({ document: { uri } }) => {
        runs.closed(uri);
        this.carried.closed(uri);
        this.edits.closed(uri);
        this.scripts.close(uri);
        this.files.forget(uri);
        for (const importer of this.scripts.importersOf(uri)) this.reconsider(importer);
        await this.diagnostics.closed(uri);
      }),
    );
    documents.listen(this.connection);
    this.connection.onDidChangeWatchedFiles(
      guard.event('watched files', ({ changes }) => {
        for (const { uri } of changes) {
          this.files.forget(uri);
          for (const importer of this.scripts.importersOf(uri)) this.reconsider(importer);
        }
      }),
    );
  }

  /** Other files may be opened now. */
  private reconsiderAll(): void {
    this.files.forgetAll();
    this.dumps.forgetAll();
    for (const uri of this.documents.keys()) this.reconsider(uri);
  }

  /** A client that does not tell of changed files may have changed any; files that are loaded nobody watches. */
  private lookAgain(): void {
    if (!this.client.watchedFilesRegistration) this.files.forgetAll();
    this.dumps.forgetAll();
  }

  /** A file that a document imports may have changed. */
  private readonly reconsider = (uri: string): void => {
    this.guard.event('import', async () => {
      const script = await this.scripts.get(uri);
      if (script && this.runs.isKnown(script)) return;
      this.runs.changed(uri, 'edit');
      await this.diagnostics.changed(uri);
    })();
  };

  /* -------------------------------------------------------------- runs */

  private runsEvents(): ConstructorParameters<typeof Runs>[0]['events'] {
    const { guard } = this;
    return {
      started: guard.event('run started', ({ uri, version }, stop) => {
        this.progress.started(uri, stop);
        this.tellRunState({ uri, version, state: 'running', runs: [...(this.runs.last(uri)?.infos ?? [])] });
      }),
      checked: guard.event('check ended', async ({ uri }, found) => {
        this.carried.checked(uri, found);
        await this.diagnostics.changed(uri);
      }),
      progress: guard.event('run progress', (uri, fraction) => this.progress.progress(uri, fraction)),
      cancelled: guard.event('run cancelled', ({ uri, version }) => {
        this.progress.ended(uri);
        // An edit's own run follows; otherwise the user gave it up.
        if (this.runs.isPending(uri)) return;
        this.tellRunState({
          uri,
          version,
          state: 'failed',
          runs: [...(this.runs.last(uri)?.infos ?? [])],
          message: 'the run was cancelled',
        });
      }),
      ended: guard.event('run ended', async (runs, found) => {
        const { uri, version } = runs.script;
        if (found) {
          this.carried.ran(uri, found);
          this.edits.forgetBefore(uri, version);
        }
        this.progress.ended(uri);
        this.tellRunState({
          uri,
          version,
          state: runs.failure === null ? 'done' : 'failed',
          runs: [...(this.runs.last(uri)?.infos ?? [])],
          ...(runs.failure !== null && { message: runs.failure }),
        });
        await this.refresh(uri);
      }),
      outdated: guard.event('run outdated', async ({ uri, version }) => {
        this.tellRunState({ uri, version, state: 'done', runs: [...(this.runs.last(uri)?.infos ?? [])] });
        await this.refresh(uri);
      }),
    };
  }

  private tellRunState(state: Notifications['mmu/runState']): void {
    void this.connection.sendNotification('mmu/runState', state);
  }

  private async refresh(uri: string): Promise<void> {
    const { client, connection } = this;
    await Promise.all([
      this.diagnostics.changed(uri),
      client.refreshesInlayHints && connection.languages.inlayHint.refresh(),
      client.refreshesCodeLenses && connection.sendRequest(CodeLensRefreshRequest.type),
    ]);
  }

  /* -------------------------------------------------------------- settings */

  private async initialized(): Promise<void> {
    const { client, connection, guard } = this;
    if (client.configuration) await this.configure(undefined);
    this.setReady();
    connection.onDidChangeConfiguration(
      guard.event('configuration', async ({ settings }) => {
        await this.configure(client.configuration ? undefined : (settings as { [section: string]: unknown } | null)?.[SECTION]);
      }),
    );
    if (client.workspaceFolders) {
      connection.workspace.onDidChangeWorkspaceFolders(
        guard.event('workspace folders', ({ added, removed }) => {
          const gone = removed.map(({ uri }) => uri);
          this.allowed.workspace = [...this.allowed.workspace.filter((uri) => !gone.includes(uri)), ...added.map(({ uri }) => uri)];
          this.reconsiderAll();
        }),
      );
    }
    if (client.configurationRegistration) await connection.client.register(DidChangeConfigurationNotification.type, { section: SECTION });
    if (client.watchedFilesRegistration) {
      await connection.client.register(DidChangeWatchedFilesNotification.type, { watchers: [{ globPattern: '**/*.mmu' }] });
    }
  }

  private async configure(sent: unknown): Promise<void> {
    this.settings = readSettings(this.client.configuration ? await this.connection.workspace.getConfiguration(SECTION) : sent);
    for (const uri of this.documents.keys()) {
      if (this.runs.last(uri)) await this.refresh(uri);
      else this.runs.changed(uri, 'open');
    }
  }
}

function abilities(
  { capabilities: { textDocument, workspace, window } }: InitializeParams,
  { findFiles, commandLinks }: InitializationOptions,
): ClientAbilities {
  return {
    pullsDiagnostics: textDocument?.diagnostic !== undefined,
    refreshesDiagnostics: workspace?.diagnostics?.refreshSupport === true,
    refreshesInlayHints: workspace?.inlayHint?.refreshSupport === true,
    refreshesCodeLenses: workspace?.codeLens?.refreshSupport === true,
    configuration: workspace?.configuration === true,
    configurationRegistration: workspace?.didChangeConfiguration?.dynamicRegistration === true,
    watchedFilesRegistration: workspace?.didChangeWatchedFiles?.dynamicRegistration === true,
    workDoneProgress: window?.workDoneProgress === true,
    snippets: textDocument?.completion?.completionItem?.snippetSupport === true,
    parameterOffsets: textDocument?.signatureHelp?.signatureInformation?.parameterInformation?.labelOffsetSupport === true,
    findFiles: findFiles === true,
    commandLinks: commandLinks === true,
    workspaceFolders: workspace?.workspaceFolders === true,
  };
}
