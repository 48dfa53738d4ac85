/** Diagnostics to the client: sent when they change, or given when it asks. */
import type { Diagnostic, DocumentDiagnosticReport } from 'vscode-languageserver';
import { limited, textDiagnostics } from '../services/diagnostics';
import type { Core } from './core';

interface Report {
  readonly version: number;
  readonly items: readonly Diagnostic[];
}

export class DiagnosticReports {
  /** What the client was given last: an id and the text of the items. */
  private readonly given = new Map<string, { readonly resultId: string; readonly text: string }>();
  private nextId = 1;

  constructor(private readonly core: Core) {
    const { connection, client, guard } = core;
    if (!client.pullsDiagnostics) return;
    const nothing: DocumentDiagnosticReport = { kind: 'full', items: [] };
    connection.languages.diagnostics.on(
      guard.request('diagnostics', nothing, ({ textDocument, previousResultId }) => this.give(textDocument.uri, previousResultId)),
    );
  }

  /** The diagnostics of a document may be others now. */
  async changed(uri: string): Promise<void> {
    const { client, connection, documents } = this.core;
    if (client.pullsDiagnostics) {
      if (client.refreshesDiagnostics) await connection.languages.diagnostics.refresh();
      return;
    }
    const report = await this.report(uri);
    if (!report || documents.get(uri)?.version !== report.version) return;
    await connection.sendDiagnostics({ uri, version: report.version, diagnostics: [...report.items] });
  }

  async closed(uri: string): Promise<void> {
    this.given.delete(uri);
    if (!this.core.client.pullsDiagnostics) await this.core.connection.sendDiagnostics({ uri, diagnostics: [] });
  }

  private async give(uri: string, previous: string | undefined): Promise<DocumentDiagnosticReport> {
    const report = await this.report(uri);
    if (!report) return { kind: 'full', items: [] };
    const text = JSON.stringify(report.items);
    const before = this.given.get(uri);
    if (before && before.resultId === previous && before.text === text) return { kind: 'unchanged', resultId: before.resultId };
    const resultId = String(this.nextId++);
    this.given.set(uri, { resultId, text });
    return { kind: 'full', resultId, items: [...report.items] };
  }

  /**
   * What the text itself shows, and what the last check and run found, which follow when others are known. A client that
   * cannot be told so waits for them for a moment.
   */
  private async report(uri: string): Promise<Report | null> {
    const { client, scripts, runs, carried } = this.core;
    if (client.pullsDiagnostics && !client.refreshesDiagnostics) await this.core.soon(runs.current(uri));
    const script = await scripts.get(uri);
    if (!script) return null;
    const fresh = textDiagnostics(script.analysis);
    return { version: script.version, items: limited([...fresh, ...carried.beside(uri, fresh)]) };
  }
}
