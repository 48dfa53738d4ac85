/** `MMU: Show Trace`: one panel a scenario, opened beside it, kept over reloads, following the cursor. */
import * as vscode from 'vscode';
import { EXPLAIN_COMMAND, SHOW_TRACE_COMMAND } from '../../../../server/src/protocol/messages';
import type { TranslationView } from '../../../../server/src/protocol/translation';
import { LANGUAGE, scenarioUri } from '../../scenario';
import type { Server } from '../../server';
import { explain } from './explain';
import { pageRoot } from './page';
import { TracePanel } from './panel';

const VIEW_TYPE = 'mmu.trace';
/** Moves of the cursor within so many milliseconds count as one. */
const SETTLE = 80;

interface ShowOptions {
  /** Which of the scenario's runs. */
  readonly index?: number;
  /** Zero-based line whose statement is selected. */
  readonly line?: number;
  readonly preserveFocus?: boolean;
}

export class TracePanels implements vscode.Disposable {
  private readonly panels = new Map<string, TracePanel>();

  constructor(
    private readonly extension: vscode.Uri,
    private readonly server: Server,
  ) {}

  async show(uri: string, { index, line, preserveFocus = false }: ShowOptions): Promise<void> {
    const panel = this.panels.get(uri) ?? this.open(uri);
    panel.reveal(preserveFocus);
    if (index !== undefined) await panel.chooseIndex(index);
    if (line !== undefined) await panel.selectLine(line);
  }

  async showTranslation(uri: string, view: TranslationView): Promise<void> {
    await this.show(uri, { preserveFocus: true });
    this.panels.get(uri)?.showTranslation(view);
  }

  /** The run that the scenario's panel shows. */
  selectedRun(uri: string): string | null {
    return this.panels.get(uri)?.selected?.runId ?? null;
  }

  /** The panel in front of the user. */
  get active(): TracePanel | null {
    return [...this.panels.values()].find((panel) => panel.active) ?? null;
  }

  /** Takes over a panel that VS Code made anew after a reload. */
  restore(webviewPanel: vscode.WebviewPanel, uri: string): void {
    webviewPanel.webview.options = this.options();
    this.adopt(webviewPanel, uri);
  }

  /** The cursor of a scenario moved to a line. */
  cursorMoved(uri: string, line: number): void {
    const panel = this.panels.get(uri);
    if (panel?.visible) void panel.selectLine(line);
  }

  private open(uri: string): TracePanel {
    const name = vscode.Uri.parse(uri).path.split('/').pop() ?? uri;
    const place = { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true };
    return this.adopt(vscode.window.createWebviewPanel(VIEW_TYPE, `Trace: ${name}`, place, this.options()), uri);
  }

  private adopt(webviewPanel: vscode.WebviewPanel, uri: string): TracePanel {
    webviewPanel.iconPath = vscode.Uri.joinPath(this.extension, 'images', 'icon.png');
    const panel = new TracePanel(webviewPanel, this.extension, uri, this.server);
    this.panels.set(uri, panel);
    webviewPanel.onDidDispose(() => {
      panel.dispose();
      if (this.panels.get(uri) === panel) this.panels.delete(uri);
    });
    return panel;
  }

  private options(): vscode.WebviewOptions {
    return { enableScripts: true, localResourceRoots: [pageRoot(this.extension)] };
  }

  dispose(): void {
    for (const panel of this.panels.values()) panel.close();
  }
}

export function activateTracePanel(context: vscode.ExtensionContext, server: Server): TracePanels {
  const panels = new TracePanels(context.extensionUri, server);
  let settling: ReturnType<typeof setTimeout> | undefined;
  context.subscriptions.push(
    panels,
    vscode.commands.registerCommand(SHOW_TRACE_COMMAND, (given?: unknown, index?: unknown, line?: unknown) => {
      const uri = scenarioUri(given);
      return uri === null ? undefined : panels.show(uri, { index: numberOf(index), line: numberOf(line) });
    }),
    vscode.commands.registerCommand(EXPLAIN_COMMAND, (section?: unknown) =>
      typeof section === 'string' ? explain(context.extensionUri, section) : undefined,
    ),
    // Entries of the page's context menu, which are handed what they are of.
    vscode.commands.registerCommand('mmu.copyKernelText', ({ from, to }: { from: number; to: number }) =>
      panels.active?.copySteps(from, to),
    ),
    vscode.commands.registerCommand('mmu.copyEntry', ({ text }: { text: string }) => panels.active?.copy(text, 'entry copied')),
    vscode.window.registerWebviewPanelSerializer(VIEW_TYPE, {
      async deserializeWebviewPanel(webviewPanel, state: unknown) {
        const uri = (state as { scenario?: unknown } | null)?.scenario;
        if (typeof uri === 'string') panels.restore(webviewPanel, uri);
        else webviewPanel.dispose();
      },
    }),
    vscode.window.onDidChangeTextEditorSelection(({ textEditor, selections, kind }) => {
      // Moves by commands are the panel's own: following them would take the chosen step away again.
      if (textEditor.document.languageId !== LANGUAGE || kind === undefined || kind === vscode.TextEditorSelectionChangeKind.Command)
        return;
      if (!vscode.workspace.getConfiguration('mmu', textEditor.document).get('tracePanel.followCursor', true)) return;
      clearTimeout(settling);
      settling = setTimeout(() => panels.cursorMoved(textEditor.document.uri.toString(), selections[0].active.line), SETTLE);
    }),
    new vscode.Disposable(() => clearTimeout(settling)),
  );
  return panels;
}

function numberOf(given: unknown): number | undefined {
  return typeof given === 'number' ? given : undefined;
}
