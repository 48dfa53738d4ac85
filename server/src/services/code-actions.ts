/** Code actions: edits that mend a problem, and what happened written down as what is expected. */
import { CodeActionKind } from 'vscode-languageserver-types';
import type { CodeAction, Diagnostic, Range, TextEdit } from 'vscode-languageserver-types';
import type { Analysis, Problem } from '../language/analysis';
import { pathAt } from '../language/syntax/tree';
import type { Node } from '../language/syntax/tree';
import { totalExits } from '../events/exits';
import type { RunView } from '../views/view';
import { resultExpectation } from './expectation-text';
import { grouped, innermost, kindsOf, listed, lspRange } from './places';

/**
 * @param problems of the text, and of machines and scripts as far as they are known
 * @param shown diagnostics that the editor shows at the range
 */
export function codeActions(
  analysis: Analysis,
  problems: readonly Problem[],
  views: readonly RunView[],
  range: Range,
  shown: readonly Diagnostic[],
): CodeAction[] {
  return [
    ...fixes(analysis.uri, problems, range, shown),
    ...corrections(analysis, views, range, shown),
    ...additions(analysis, views, range),
  ];
}

/* ---------------------------------------------------------------- fixes of problems */

function fixes(uri: string, problems: readonly Problem[], range: Range, shown: readonly Diagnostic[]): CodeAction[] {
  const actions: CodeAction[] = [];
  for (const problem of problems) {
    if (problem.uri !== uri || !meet(problem.range, range)) continue;
    for (const [index, fix] of (problem.fixes ?? []).entries()) {
      const diagnostics = shown.filter((each) => each.code === problem.code && equal(each.range, problem.range));
      actions.push({
        title: fix.title,
        kind: CodeActionKind.QuickFix,
        isPreferred: index === 0 && problem.severity === 'error',
        ...(diagnostics.length > 0 && { diagnostics }),
        edit: { changes: { [fix.uri]: [{ range: fix.range, newText: fix.text }] } },
      });
    }
  }
  return actions;
}

/* ---------------------------------------------------------------- expectations that failed */

/** What an expectation would have to say under each kind. */
interface Actual {
  readonly kinds: string;
  readonly text: string;
  readonly failed: boolean;
}

function corrections(analysis: Analysis, views: readonly RunView[], range: Range, shown: readonly Diagnostic[]): CodeAction[] {
  const actions: CodeAction[] = [];
  analysis.statements.forEach((place, origin) => {
    if (place.uri !== analysis.uri || !meet(place.range, range)) return;
    const actual = actualOf(views, origin, analysis.statementNodes[origin], place.text);
    if (!actual || !actual.some(({ failed }) => failed)) return;
    const edits = correction(analysis, analysis.statementNodes[origin], actual);
    if (!edits) return;
    const diagnostics = shown.filter((each) => each.code === 'expectation-failed' && equal(each.range, place.range));
    actions.push({
      title: `Expect what happened: ${grouped(actual, ({ text }) => text).map(({ said }) => said).join(' | ')}`,
      kind: CodeActionKind.QuickFix,
      ...(diagnostics.length > 0 && { diagnostics }),
      edit: { changes: { [analysis.uri]: edits } },
    }); // prettier-ignore
  });
  return actions;
}

/** Null when it cannot be said, or differs from execution to execution. @param written the expectation as it stands */
function actualOf(views: readonly RunView[], origin: number, node: Node, written: string): Actual[] | null {
  const all: Actual[] = [];
  for (const view of views) {
    const { outcomes, program } = view.record;
    const texts = new Set<string | null>();
    let failed = false;
    for (const { origin: each, result } of outcomes) {
      if (each !== origin || result.kind !== 'expectation') continue;
      texts.add(result.holds ? written : insteadOf(node, written, result.instead));
      failed ||= !result.holds;
    }
    if (texts.size === 0) continue;
    const [text] = texts;
    if (texts.size > 1 || text === null) return null;
    all.push({ kinds: kindsOf(program), text, failed });
  }
  return all;
}

/** What is said instead; of an entry only what stands behind its name. */
function insteadOf({ kind }: Node, written: string, instead: string | null): string | null {
  return instead !== null && kind === 'expect-entry' ? `${written.slice(0, written.indexOf(']') + 1)} ${instead}` : instead;
}

/** The expectation changed; where kinds differ it becomes one `expect … under` for each. */
function correction(analysis: Analysis, node: Node, actual: readonly Actual[]): TextEdit[] | null {
  const expect = innermost(pathAt(analysis.parsed.tree, node.range.start), 'expect');
  const at = expect?.of.findIndex((each) => each === node) ?? -1;
  if (!expect || at < 0) return null;
  const groups = grouped(actual, ({ text }) => text);
  if (groups.length === 1) return [{ range: lspRange(analysis, node.range), newText: groups[0].said }];
  const split = groups.map(({ said, of }) => underText(said, of)).join(' ');
  if (expect.of.length === 1) return [{ range: lspRange(analysis, expect.range), newText: split }];
  const cut =
    at > 0 ? { start: expect.of[at - 1].range.end, end: node.range.end } : { start: node.range.start, end: expect.of[1].range.start };
  const end = { start: expect.range.end, end: expect.range.end };
  return [
    { range: lspRange(analysis, cut), newText: '' },
    { range: lspRange(analysis, end), newText: ` ${split}` },
  ];
}

/* ---------------------------------------------------------------- expectations that are missing */

function additions(analysis: Analysis, views: readonly RunView[], range: Range): CodeAction[] {
  const actions: CodeAction[] = [];
  analysis.statementNodes.forEach((node, origin) => {
    const place = analysis.statements[origin];
    if (place.uri !== analysis.uri || !meet(place.range, range) || !('expects' in node) || node.expects.length > 0) return;
    const text = whatHappened(views, origin);
    if (text === null) return;
    const end = lspRange(analysis, { start: node.range.end, end: node.range.end });
    actions.push({
      title: `Write what happened: ${text}`,
      kind: CodeActionKind.RefactorRewrite,
      edit: { changes: { [analysis.uri]: [{ range: end, newText: `  ${text}` }] } },
    });
  });
  return actions;
}

/** `expect ok, exits 1`, or for each kind its own; null when executions differ or nothing can be expected. */
function whatHappened(views: readonly RunView[], origin: number): string | null {
  const said: { readonly kinds: string; readonly result: string; readonly exits: string }[] = [];
  for (const view of views) {
    const outcomes = view.outcomesOf(origin).filter(({ act, result }) => act >= 0 && result.kind !== 'expectation');
    if (outcomes.length === 0) continue;
    const results = new Set(outcomes.map(resultExpectation));
    const exits = new Set(outcomes.map((each) => totalExits(each.exits)));
    const [result] = results;
    const [count] = exits;
    if (results.size > 1 || result === null) return null;
    said.push({ kinds: kindsOf(view.record.program), result, exits: exits.size === 1 ? `exits ${count}` : '' });
  }
  if (said.length === 0) return null;
  const results = grouped(said, ({ result }) => result);
  const exits = grouped(said, (each) => each.exits);
  if (results.length === 1 && exits.length === 1) return `expect ${[results[0].said, exits[0].said].filter(Boolean).join(', ')}`;
  if (results.length === 1)
    return [`expect ${results[0].said}`, ...exits.filter(({ said: text }) => text).map(({ said: text, of }) => underText(text, of))].join(
      ' ',
    );
  return grouped(said, (each) => [each.result, each.exits].filter(Boolean).join(', '))
    .map(({ said: text, of }) => underText(text, of))
    .join(' ');
}

function underText(text: string, of: readonly { readonly kinds: string }[]): string {
  return listed(of.map(({ kinds }) => kinds))
    .map((kinds) => `expect ${text} under ${kinds}`)
    .join(' ');
}

/* ---------------------------------------------------------------- ranges */

function meet(a: Range, b: Range): boolean {
  return !before(a.end, b.start) && !before(b.end, a.start);
}

function before(a: Range['start'], b: Range['start']): boolean {
  return a.line < b.line || (a.line === b.line && a.character < b.character);
}

function equal(a: Range, b: Range): boolean {
  return !before(a.start, b.start) && !before(b.start, a.start) && !before(a.end, b.end) && !before(b.end, a.end);
}
