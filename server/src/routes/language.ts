/** Routes of the editor's features: a request's document and position to a service, and its result back. */
import { LSPErrorCodes, ResponseError } from 'vscode-languageserver';
import type {
  CancellationToken,
  CompletionContext,
  Position,
  SemanticTokens,
  SignatureHelpContext,
  WorkspaceSymbol,
} from 'vscode-languageserver';
import { codeActions } from '../services/code-actions';
import { runLenses, traceLenses } from '../services/code-lens';
import { completionWithFiles, resolveCompletion } from '../services/completion';
import { definition } from '../services/definition';
import { documentLinks } from '../services/document-links';
import { foldingRanges } from '../services/folding';
import { formatting, rangeFormatting } from '../services/formatting';
import { greeting, greetingLenses } from '../services/greeting';
import { hover } from '../services/hover';
import { documentSymbols } from '../services/outline';
import { documentHighlights, placesOfName, references } from '../services/references';
import { CannotRename, prepareRename, Renaming } from '../services/rename';
import { selectionRanges } from '../services/selection-ranges';
import { semanticTokens, tokenEdits } from '../services/semantic-tokens';
import { signatureHelp } from '../services/signature-help';
import { mayDefine, symbolsOf } from '../services/workspace-symbols';
import type { Analysis } from '../language/analysis';
import { search } from '../workspace/search';
import type { Change } from '../workspace/moves';
import { olderHints, olderLenses, olderRange } from '../workspace/older';
import type { ScriptRuns } from '../workspace/runs';
import type { Core } from './core';

interface AtDocument {
  readonly textDocument: { readonly uri: string };
}
type AtPosition = AtDocument & { readonly position: Position };

export function routeLanguage(core: Core): void {
  routeReading(core);
  routeNames(core);
  routeWriting(core);
  routeSemanticTokens(core);
}

async function analysisOf(core: Core, { textDocument }: AtDocument): Promise<Analysis | null> {
  return (await core.scripts.get(textDocument.uri))?.analysis ?? null;
}

/* ---------------------------------------------------------------- what there is to see */

function routeReading(core: Core): void {
  const { connection, guard } = core;
  connection.onHover(
    guard.request('hover', null, async (params: AtPosition, token) => {
      const { textDocument, position } = params;
      const known = await core.inquiries.ofDocument(textDocument.uri, 'hover', { position, links: core.client.commandLinks }, token);
      if (known) return known.answer;
      const analysis = await analysisOf(core, params);
      return analysis && hover(analysis, [], analysis.offsetAt(position));
    }),
  );
  connection.languages.inlayHint.on(
    guard.request('inlay hints', null, async ({ textDocument, range }, token) => {
      const { uri } = textDocument;
      // The settings come a moment after the client; runs wait for them.
      await core.soon(core.runs.current(uri));
      const { enabled, exits } = core.settings.inlayHints;
      if (!enabled) return [];
      const analysis = await analysisOf(core, { textDocument });
      const hint = analysis && greeting(analysis);
      if (hint) return [hint];
      const older = await olderRuns(core, uri);
      if (!older) {
        const found = await core.inquiries.ofDocument(uri, 'inlayHints', { range, exits }, token);
        return found?.answer?.map(({ hint }) => hint) ?? [];
      }
      const params = { range: olderRange(range, older.changes), exits };
      return olderHints((await core.inquiries.ofRuns(older.runs, 'inlayHints', params, token)) ?? [], older.changes, range);
    }),
  );
  connection.onCodeLens(
    guard.request('code lenses', null, async (params: AtDocument) => {
      const runs = await core.soon(core.runs.current(params.textDocument.uri));
      if (!core.settings.codeLens.enabled) return [];
      const analysis = await analysisOf(core, params);
      if (!analysis) return null;
      const lenses = [...greetingLenses(analysis), ...runLenses(analysis)];
      if (runs?.script.analysis === analysis && runs.infos.length > 0) return [...lenses, ...traceLenses(analysis, runs.infos)];
      const older = await olderRuns(core, params.textDocument.uri);
      return older ? [...lenses, ...olderLenses(traceLenses(older.runs.script.analysis, older.runs.infos), older.changes)] : lenses;
    }),
  );
  connection.onDocumentSymbol(
    guard.request('outline', null, async (params: AtDocument) => {
      const analysis = await analysisOf(core, params);
      return analysis && documentSymbols(analysis);
    }),
  );
  connection.onFoldingRanges(
    guard.request('folding', null, async (params: AtDocument) => {
      const analysis = await analysisOf(core, params);
      return analysis && foldingRanges(analysis);
    }),
  );
  connection.onSelectionRanges(
    guard.request('selection ranges', null, async (params: AtDocument & { positions: Position[] }) => {
      const analysis = await analysisOf(core, params);
      return analysis && selectionRanges(analysis, params.positions);
    }),
  );
  connection.onDocumentLinks(
    guard.request('document links', null, async (params: AtDocument) => {
      const analysis = await analysisOf(core, params);
      return analysis && documentLinks(analysis);
    }),
  );
}

/** The last runs, when they are of an older text than that of now, with what was edited since; null otherwise. */
async function olderRuns({ runs, scripts, edits }: Core, uri: string): Promise<{ runs: ScriptRuns; changes: readonly Change[] } | null> {
  const last = runs.last(uri);
  if (!last || last.of === null || last.script === (await scripts.get(uri))) return null;
  const changes = edits.since(uri, last.script.version);
  return changes && { runs: last, changes };
}

/* ---------------------------------------------------------------- names */

function routeNames(core: Core): void {
  const { connection, guard } = core;
  connection.onDefinition(
    guard.request('definition', null, async (params: AtPosition) => {
      const analysis = await analysisOf(core, params);
      return analysis && definition(analysis, analysis.offsetAt(params.position));
    }),
  );
  connection.onReferences(
    guard.request('references', null, async (params: AtPosition & { context: { includeDeclaration: boolean } }, token) => {
      const analysis = await analysisOf(core, params);
      const places = analysis && placesOfName(analysis, analysis.offsetAt(params.position));
      if (!places) return analysis && [];
      for await (const other of scenarios(core, (text, uri) => places.mayBeIn(text, uri), token)) places.addFrom(other);
      return references(places, params.context.includeDeclaration);
    }),
  );
  connection.onDocumentHighlight(
    guard.request('highlights', null, async (params: AtPosition) => {
      const analysis = await analysisOf(core, params);
      return analysis && documentHighlights(analysis, analysis.offsetAt(params.position));
    }),
  );
  connection.onPrepareRename(
    guard.request('prepare rename', null, async (params: AtPosition) => {
      const analysis = await analysisOf(core, params);
      return analysis && prepareRename(analysis, analysis.offsetAt(params.position));
    }),
  );
  connection.onRenameRequest(
    guard.request('rename', null, async (params: AtPosition & { newName: string }, token) => {
      const analysis = await analysisOf(core, params);
      const places = analysis && placesOfName(analysis, analysis.offsetAt(params.position));
      if (!places) return null;
      try {
        const renaming = new Renaming(places, analysis, params.newName);
        for await (const other of scenarios(core, (text, uri) => places.mayBeIn(text, uri), token)) renaming.addFrom(other);
        return renaming.edit;
      } catch (error) {
        if (error instanceof CannotRename) throw new ResponseError(LSPErrorCodes.RequestFailed, error.message);
        throw error;
      }
    }),
  );
  connection.onWorkspaceSymbol(
    guard.request('workspace symbols', null, async ({ query }: { query: string }, token) => {
      const found: WorkspaceSymbol[] = [];
      for await (const analysis of scenarios(core, (text) => mayDefine(text, query), token)) {
        found.push(...symbolsOf(analysis, query, MOST_SYMBOLS - found.length));
        if (found.length >= MOST_SYMBOLS) break;
      }
      return found;
    }),
  );
}

/** Names that a client gets at most. */
const MOST_SYMBOLS = 500;

/** Analyses of the scenarios of the workspace whose text fits, one after another. */
async function* scenarios(core: Core, fits: (text: string, uri: string) => boolean, token: CancellationToken): AsyncGenerator<Analysis> {
  const { scripts, documents, runtime } = core;
  const uris = new Set([...documents.keys(), ...(await core.findFiles())]);
  const giveWay = (): Promise<void> => new Promise((resolve) => void runtime.later(resolve, 0));
  yield* search({ scripts, uris, fits, giveWay, now: () => runtime.now(), token });
}

/* ---------------------------------------------------------------- writing */

function routeWriting(core: Core): void {
  const { connection, guard, client } = core;
  connection.onCompletion(
    guard.request('completion', null, async (params: AtPosition & { context?: CompletionContext }) => {
      const analysis = await analysisOf(core, params);
      if (!analysis) return null;
      const options = { snippets: client.snippets, trigger: params.context?.triggerCharacter };
      return completionWithFiles(analysis, analysis.offsetAt(params.position), options, (folder) =>
        core.folders.list(folder, analysis.uri),
      );
    }),
  );
  connection.onCompletionResolve(async (item, token) => {
    const resolve = guard.request('completion item', item, async () => {
      const uri = (item.data as { uri?: unknown } | undefined)?.uri;
      const script = typeof uri === 'string' ? await core.scripts.get(uri) : null;
      return resolveCompletion(item, script?.analysis ?? null);
    });
    return resolve(item, token);
  });
  connection.onSignatureHelp(
    guard.request('signature help', null, async (params: AtPosition & { context?: SignatureHelpContext }) => {
      const analysis = await analysisOf(core, params);
      const { triggerCharacter, isRetrigger } = params.context ?? {};
      const options = { offsets: client.parameterOffsets, afterSpace: triggerCharacter === ' ' && isRetrigger !== true };
      return analysis && signatureHelp(analysis, analysis.offsetAt(params.position), options);
    }),
  );
  connection.onDocumentFormatting(
    guard.request('formatting', null, async (params: AtDocument) => {
      const analysis = await analysisOf(core, params);
      return analysis && formatting(analysis);
    }),
  );
  connection.onDocumentRangeFormatting(
    guard.request('range formatting', null, async (params) => {
      const analysis = await analysisOf(core, params);
      return analysis && rangeFormatting(analysis, params.range);
    }),
  );
  connection.onCodeAction(
    guard.request('code actions', null, async (params, token) => {
      const { textDocument, range, context } = params;
      const shown = context.diagnostics;
      const known = await core.inquiries.ofDocument(textDocument.uri, 'codeActions', { range, shown }, token);
      const analysis = await analysisOf(core, params);
      if (!analysis) return null;
      const actions = known?.answer ?? codeActions(analysis, analysis.problems, [], range, shown);
      const { only } = context;
      return only ? actions.filter(({ kind }) => only.some((each) => kind === each || kind?.startsWith(`${each}.`))) : actions;
    }),
  );
}

/* ---------------------------------------------------------------- semantic tokens */

function routeSemanticTokens(core: Core): void {
  const { connection, guard } = core;
  const sent = new Map<string, { readonly resultId: string; readonly data: number[] }>();
  let nextId = 1;
  const full = (uri: string, data: number[]): SemanticTokens => {
    const tokens = { resultId: String(nextId++), data };
    sent.set(uri, tokens);
    return tokens;
  };
  core.documents.onDidClose(({ document }) => sent.delete(document.uri));
  connection.languages.semanticTokens.on(
    guard.request('semantic tokens', { data: [] as number[] }, async (params: AtDocument) => {
      const analysis = await analysisOf(core, params);
      return full(params.textDocument.uri, analysis ? semanticTokens(analysis) : []);
    }),
  );
  connection.languages.semanticTokens.onDelta(
    guard.request('semantic tokens', { data: [] as number[] }, async (params: AtDocument & { previousResultId: string }) => {
      const { uri } = params.textDocument;
      const analysis = await analysisOf(core, params);
      const before = sent.get(uri);
      const now = full(uri, analysis ? semanticTokens(analysis) : []);
      if (before?.resultId !== params.previousResultId) return now;
      return { resultId: now.resultId, edits: tokenEdits(before.data, now.data) };
    }),
  );
  connection.languages.semanticTokens.onRange(
    guard.request('semantic tokens', { data: [] as number[] }, async (params) => {
      const analysis = await analysisOf(core, params);
      return { data: analysis ? semanticTokens(analysis, params.range) : [] };
    }),
  );
}
