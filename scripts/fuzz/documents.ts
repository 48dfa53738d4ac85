/** Documents: samples with pieces cut, doubled, exchanged or put in, through everything that is done with a text. */
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { drained } from '../../server/src/language/steps';
import { ftrace, json, text as asText } from '../../server/src/api/engine';
import { format } from '../../server/src/api/language';
import { runLenses, traceLenses } from '../../server/src/services/code-lens';
import { completion } from '../../server/src/services/completion';
import { definition } from '../../server/src/services/definition';
import { documentLinks } from '../../server/src/services/document-links';
import { foldingRanges } from '../../server/src/services/folding';
import { formatting } from '../../server/src/services/formatting';
import { documentSymbols } from '../../server/src/services/outline';
import { documentHighlights } from '../../server/src/services/references';
import { prepareRename } from '../../server/src/services/rename';
import { selectionRanges } from '../../server/src/services/selection-ranges';
import { semanticTokens } from '../../server/src/services/semantic-tokens';
import { signatureHelp } from '../../server/src/services/signature-help';
import { doJob } from '../../server/src/worker/job';
import { answerInSteps } from '../../server/src/worker/questions';
import type { KnownScript, Question } from '../../server/src/worker/questions';
import { documented, samples } from '../../test/support/examples';
import { checked, timed } from './checked';
import type { Round } from './fuzzers';

const URI = 'file:///scenarios/fuzz.mmu';
/** Milliseconds for unrolling and runs. */
const RUN_TIME = 300;

const TEXTS = [...samples(), ...documented()].map(({ text }) => text);

/** Pieces that change what a text means, or that few would write. */
const PIECES = [
  '{', '}', '(', ')', '[', ']', '->', '..', '+', ' x ', '=', '"', '//', '/*', '*/', '\n', '\r\n', '\r', '\t', '\0', '\u2028', '\ufeff', '😀', 'é',
  '0x', '0x_', '0xffff_ffff_ffff_ffff', '18446744073709551616', '0', '-1', '1_000_000_000', '4K', '1G', '0b2',
  'expect ', 'under soft ', 'for i in 0 .. 100_000 ', 'run ', 'vm a ', 'nested ', 'invept ', 'user ', 'import "', 'load "', 'block ', 'l2: ', 'shadow', 'tdp',
]; // prettier-ignore

interface Edit {
  readonly at: number;
  readonly length: number;
  readonly put: { readonly piece: string } | { readonly from: number };
}

const part = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
const edit: fc.Arbitrary<Edit> = fc.record({
  at: part,
  length: fc.oneof(fc.constant(0), fc.nat(12), fc.nat(400)),
  put: fc.oneof(
    fc.constantFrom(...PIECES).map((piece) => ({ piece })),
    fc.constant({ piece: '' }),
    part.map((from) => ({ from })),
  ),
});

/** @param put a piece, or as much as is taken away, from elsewhere in the text */
function edited(text: string, { at, length, put }: Edit): string {
  const start = Math.floor(at * (text.length + 1));
  const piece = 'piece' in put ? put.piece : text.substr(Math.floor(put.from * text.length), length || 40);
  return text.slice(0, start) + piece + text.slice(start + length);
}

export const documents: fc.Arbitrary<string> = fc
  .tuple(fc.constantFrom(...TEXTS), fc.array(edit, { maxLength: 6 }))
  .map(([text, edits]) => edits.reduce(edited, text));

export const documentRound = (seed: number): Promise<Round> =>
  checked(documents, seed, (document) => timed(() => useAll(document)), (document) => document); // prettier-ignore

/** Everything that an editor and the command do with a text. @throws for what must not be */
export function useAll(document: string): void {
  const script = job(document);
  const { analysis, views } = script;
  const lines = document.split(/\r\n|\n|\r/);
  const inside = ({ line, character }: { line: number; character: number }): boolean =>
    line >= 0 && line < lines.length && character >= 0 && character <= lines[line].length;
  const fine = (range: Range, what: string): void =>
    assert.ok(inside(range.start) && inside(range.end) && !before(range.end, range.start), `${what}: ${JSON.stringify(range)}`);
  for (const { uri, range, related, fixes } of script.problems)
    for (const place of [{ uri, range }, ...(related ?? []), ...(fixes ?? [])]) if (place.uri === URI) fine(place.range, 'a problem');
  for (const symbol of allSymbols(documentSymbols(analysis))) {
    fine(symbol.range, 'a symbol');
    fine(symbol.selectionRange, 'the name of a symbol');
    assert.ok(
      !before(symbol.selectionRange.start, symbol.range.start) && !before(symbol.range.end, symbol.selectionRange.end),
      'a name outside',
    );
  }
  for (const { startLine, endLine } of foldingRanges(analysis)) assert.ok(startLine <= endLine && endLine < lines.length, 'a fold');
  for (const { range } of [...documentLinks(analysis), ...runLenses(analysis), ...traceLenses(analysis, script.infos)])
    fine(range, 'a link or lens');
  assert.equal(semanticTokens(analysis).length % 5, 0);
  for (const { range } of formatting(analysis) ?? []) fine(range, 'an edit');
  const once = format(document);
  if (once !== null) assert.equal(format(once), once, 'the form of a form is another one');
  for (let offset = 0; offset <= document.length; offset += 1 + Math.floor(document.length / 12)) {
    const position = positionAt(lines, document, offset);
    completion(analysis, offset, { snippets: true });
    signatureHelp(analysis, offset, { offsets: true, afterSpace: false });
    for (const each of [...(definition(analysis, offset) ?? []), ...(documentHighlights(analysis, offset) ?? [])])
      if ('range' in each) fine(each.range, 'a place');
    prepareRename(analysis, offset);
    selectionRanges(analysis, [position]);
    ask(script, { what: 'hover', params: { position, links: true } });
    ask(script, { what: 'codeActions', params: { range: { start: position, end: position }, shown: [] } });
  }
  ask(script, {
    what: 'inlayHints',
    params: { range: { start: { line: 0, character: 0 }, end: { line: lines.length, character: 0 } }, exits: true },
  });
  views.forEach(({ steps }, run) => {
    ask(script, { what: 'steps', params: { run, from: 0, count: 50, filter: { text: 'spte' } } });
    for (let step = 0; step < steps.length; step += 1 + Math.floor(steps.length / 5)) ask(script, { what: 'step', params: { run, step } });
  });
  for (const _line of asText(views, { colors: false, width: 80, journal: true, entries: false })) void _line;
  for (const _line of ftrace(views)) void _line;
  JSON.parse([...json({ file: 'fuzz.mmu', uri: URI, views, held: 0, failed: 0, exitStatus: 0 })].join(''));
}

/** Checked and run as the worker does it. */
function job(text: string): KnownScript {
  let known: KnownScript | null = null;
  const started = performance.now();
  const task = { uri: URI, version: 1, text, texts: new Map(), files: new Map(), run: { until: null }, timeLimit: RUN_TIME };
  drained(
    doJob(1, task, {
      spent: () => performance.now() - started,
      cancelled: () => false,
      checked: (script) => (known ??= script),
      progress: () => undefined,
      ran: (script) => (known = script),
    }),
  );
  return known!;
}

function ask(script: KnownScript, question: Question): void {
  drained(answerInSteps(script, question as Question & { what: 'step' }));
}

interface Position {
  readonly line: number;
  readonly character: number;
}
interface Range {
  readonly start: Position;
  readonly end: Position;
}

const before = (a: Position, b: Position): boolean => a.line < b.line || (a.line === b.line && a.character < b.character);

interface Symbol {
  readonly range: Range;
  readonly selectionRange: Range;
  readonly children?: readonly Symbol[];
}

function allSymbols(symbols: readonly Symbol[]): Symbol[] {
  return symbols.flatMap((symbol) => [symbol, ...allSymbols(symbol.children ?? [])]);
}

function positionAt(lines: readonly string[], document: string, offset: number): Position {
  const line = document.slice(0, offset).split(/\r\n|\n|\r/).length - 1;
  return {
    line,
    character: Math.min(
      lines[line]?.length ?? 0,
      offset - Math.max(document.lastIndexOf('\n', offset - 1), document.lastIndexOf('\r', offset - 1)) - 1,
    ),
  };
}
