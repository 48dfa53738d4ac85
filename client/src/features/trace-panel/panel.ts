/** One trace panel: what its page asks for is asked of the server; runs, the cursor and translations are told to the page. */
import * as vscode from 'vscode';
import type { FromPanel, RunInfo, ToPanel } from '../../../../server/src/protocol/messages';
import type { TranslationView } from '../../../../server/src/protocol/translation';
import { messageOf, plural } from '../../messages';
import { showScenario } from '../../scenario';
import type { RunState, Server } from '../../server';
import { explain } from './explain';
import { page } from './page';

export class TracePanel implements vscode.Disposable {
  private readonly subscriptions: vscode.Disposable[] = [];
  private readonly highlight = vscode.window.createTextEditorDecorationType({
    isWholeLine: true,
    backgroundColor: new vscode.ThemeColor('editor.rangeHighlightBackground'),
    overviewRulerColor: new vscode.ThemeColor('charts.blue'),
    overviewRulerLane: vscode.OverviewRulerLane.Full,
  });
  private runs: readonly RunInfo[] = [];
  /** Name of the chosen run: it stays chosen when the scenario is run again. */
  private chosen: string | null = null;
  /** Zero-based line of the step that is shown: another run is shown at the same statement. */
  private line: number | null = null;
  /** What the page asks for by the filter that it uses; given up when it uses another one. */
  private asking: { readonly query: number; readonly source: vscode.CancellationTokenSource } | null = null;
  /** Messages for a page that has not come up yet. */
  private waiting: ToPanel[] | null = [];

  constructor(
    private readonly panel: vscode.WebviewPanel,
    private readonly extension: vscode.Uri,
    private readonly uri: string,
    private readonly server: Server,
  ) {
    this.runs = server.runsOf(uri);
    this.subscriptions.push(
      this.highlight,
      panel.webview.onDidReceiveMessage((message: FromPanel) => this.receive(message)),
      panel.onDidChangeViewState(() => {
        // A hidden page is thrown away and says `ready` again when it is shown.
        if (!panel.visible) this.waiting = [];
        if (!panel.visible) this.highlightLine(null);
      }),
      server.onRunState((state) => state.uri === uri && this.runStateChanged(state)),
      server.onRunning((running) => running && void this.load()),
    );
    panel.webview.html = page(panel.webview, extension, uri);
    if (this.runs.length === 0) void this.load();
  }

  get visible(): boolean {
    return this.panel.visible;
  }

  get selected(): RunInfo | null {
    return this.runs.find(({ name }) => name === this.chosen) ?? this.runs[0] ?? null;
  }

  reveal(preserveFocus: boolean): void {
    this.panel.reveal(undefined, preserveFocus);
  }

  async chooseIndex(index: number): Promise<void> {
    if (this.runs.length === 0) await this.load();
    const run = this.runs.find((each) => each.index === index);
    if (run) this.choose(run);
  }

  /** Selects the first step of the statement at a zero-based line. */
  async selectLine(line: number): Promise<void> {
    const run = this.selected;
    if (!run) return;
    const step = await this.ask(() => this.server.request('mmu/stepAtLine', { runId: run.runId, line }));
    if (step !== null && run.runId === this.selected?.runId) this.post({ type: 'select', runId: run.runId, step });
  }

  showTranslation(view: TranslationView): void {
    this.post({ type: 'translation', runId: this.selected?.runId ?? null, view });
  }

  close(): void {
    this.panel.dispose();
  }

  dispose(): void {
    for (const each of this.subscriptions) each.dispose();
    this.giveUp();
  }

  private choose(run: RunInfo): void {
    const { line } = this;
    this.chosen = run.name;
    this.postRuns();
    if (line !== null) void this.selectLine(line);
  }

  /** Asks for the runs, and has the scenario run when there are none yet. The document must be open for the server to know it. */
  private async load(): Promise<void> {
    await this.ask(async () => {
      await vscode.workspace.openTextDocument(vscode.Uri.parse(this.uri, true));
      let runs = await this.server.request('mmu/runs', { uri: this.uri });
      if (runs.length === 0) {
        this.post({ type: 'busy', message: 'Running the scenario' });
        runs = await this.server.request('mmu/run', { uri: this.uri });
      }
      this.runs = runs;
      return null;
    });
    this.postRuns();
    this.post({ type: 'busy', message: null });
  }

  private runStateChanged({ state, runs, message }: RunState): void {
    if (state !== 'running') {
      this.runs = runs;
      this.postRuns();
    }
    this.post({
      type: 'busy',
      message: state === 'running' ? 'Running the scenario' : state === 'failed' ? (message ?? 'The run failed') : null,
    });
  }

  private async receive(message: FromPanel): Promise<void> {
    switch (message.type) {
      case 'ready':
        return this.ready();
      case 'chooseRun': {
        const run = this.runs.find(({ runId }) => runId === message.runId);
        if (run) this.choose(run);
        return;
      }
      case 'needRows': {
        const { runId, query, from, count, filter, folds } = message;
        const token = this.tokenOf(query);
        const found = await this.ask(() => this.server.request('mmu/steps', { runId, from, count, filter, folds }, token), token);
        if (found) this.post({ type: 'rows', runId, query, from, rows: found.rows, total: found.total });
        return;
      }
      case 'needPosition': {
        const { runId, query, step, filter, folds } = message;
        const token = this.tokenOf(query);
        const place = await this.ask(() => this.server.request('mmu/position', { runId, step, filter, folds }, token), token);
        return this.post({ type: 'position', runId, query, step, place });
      }
      case 'needNext': {
        const { runId, step, goal, direction } = message;
        const found = await this.ask(() => this.server.request('mmu/next', { runId, step, goal, direction }));
        return this.post({ type: 'next', runId, from: step, found });
      }
      case 'needDetail': {
        const { runId, step } = message;
        const detail = await this.ask(() => this.server.request('mmu/step', { runId, step }));
        if (!detail) return;
        this.post({ type: 'detail', runId, detail });
        this.line = detail.row.line;
        return this.highlightLine(this.line);
      }
      case 'needState': {
        const { runId, step, id, from, count } = message;
        const found = await this.ask(() => this.server.request('mmu/state', { runId, step, id, from, count }));
        return this.post({ type: 'state', runId, step, id, from, found });
      }
      case 'needOrigin': {
        const { runId, step, id } = message;
        const origin = await this.ask(() => this.server.request('mmu/stateOrigin', { runId, step, id }));
        return this.post({ type: 'origin', runId, step, id, origin });
      }
      case 'needMemory': {
        const { runId, step } = message;
        const maps = await this.ask(() => this.server.request('mmu/memoryMaps', { runId, step }));
        return this.post({ type: 'memory', runId, step, maps });
      }
      case 'exportReport':
        await vscode.commands.executeCommand('mmu.exportReport', this.uri);
        return;
      case 'needTotals': {
        const { runId } = message;
        const totals = await this.ask(() => this.server.request('mmu/totals', { runId }));
        if (totals) this.post({ type: 'totals', runId, totals });
        return;
      }
      case 'needComparison': {
        const { runId, with: other } = message;
        const comparison = await this.ask(() => this.server.request('mmu/compare', { runId, with: other }));
        return this.post({ type: 'comparison', runId, with: other, comparison });
      }
      case 'reveal':
        return this.goTo(message.line, message.focus);
      case 'explain':
        await this.ask(() => explain(this.extension, message.section).then(() => null));
        return;
      case 'copySteps':
        return this.copySteps(message.from, message.to, message.runId);
      case 'copyText':
        return this.copy(message.text, 'copied');
      case 'present':
        // The editors beside it are hidden; the same command brings them back.
        this.panel.reveal(undefined, false);
        await this.ask(async () => vscode.commands.executeCommand('workbench.action.toggleMaximizeEditorGroup'));
    }
  }

  /** Steps [from, to] into the clipboard, as the kernel's trace prints them. */
  async copySteps(from: number, to: number, runId = this.selected?.runId): Promise<void> {
    if (runId === undefined) return;
    const text = await this.ask(() => this.server.request('mmu/kernelText', { runId, from, to }));
    if (text !== null) await this.copy(text, `${plural(text.split('\n').length - 1, 'line')} of kernel text copied`);
  }

  async copy(text: string, said: string): Promise<void> {
    await vscode.env.clipboard.writeText(text);
    vscode.window.setStatusBarMessage(`MMU: ${said}`, 4000);
  }

  get active(): boolean {
    return this.panel.active;
  }

  /** Cancelled as soon as the page uses another filter. */
  private tokenOf(query: number): vscode.CancellationToken {
    if (this.asking?.query !== query) {
      this.giveUp();
      this.asking = { query, source: new vscode.CancellationTokenSource() };
    }
    return this.asking!.source.token;
  }

  private giveUp(): void {
    this.asking?.source.cancel();
    this.asking?.source.dispose();
    this.asking = null;
  }

  private ready(): void {
    const waiting = this.waiting ?? [];
    this.waiting = null;
    this.postRuns();
    for (const message of waiting) if (message.type !== 'runs') this.post(message);
  }

  private post(message: ToPanel): void {
    if (this.waiting) this.waiting.push(message);
    else void this.panel.webview.postMessage(message);
  }

  private postRuns(): void {
    const file = vscode.Uri.parse(this.uri).path.split('/').pop() ?? '';
    this.post({ type: 'runs', runs: this.runs, selected: this.selected?.runId ?? null, file });
  }

  /** The answer, or null when the server could not give it: it is said in the output, unless nobody wants it any more. */
  private async ask<T>(question: () => Promise<T>, token?: vscode.CancellationToken): Promise<T | null> {
    try {
      return await question();
    } catch (error) {
      if (token?.isCancellationRequested) return null;
      this.server.output.warn(`Trace panel: ${messageOf(error)}`);
      return null;
    }
  }

  private async goTo(line: number, focus: boolean): Promise<void> {
    const beside = this.panel.viewColumn === vscode.ViewColumn.One ? vscode.ViewColumn.Two : vscode.ViewColumn.One;
    const editor = await this.ask(() => showScenario(this.uri, { column: beside, focus }));
    if (!editor || line >= editor.document.lineCount) return;
    const start = new vscode.Position(line, editor.document.lineAt(line).firstNonWhitespaceCharacterIndex);
    editor.selection = new vscode.Selection(start, start);
    editor.revealRange(new vscode.Range(start, start), vscode.TextEditorRevealType.InCenterIfOutsideViewport);
  }

  private highlightLine(line: number | null): void {
    for (const editor of vscode.window.visibleTextEditors) {
      if (editor.document.uri.toString() !== this.uri) continue;
      const range = line === null ? null : new vscode.Range(line, 0, line, 0);
      editor.setDecorations(this.highlight, range ? [range] : []);
      if (range && this.panel.active) editor.revealRange(range, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
    }
  }
}
