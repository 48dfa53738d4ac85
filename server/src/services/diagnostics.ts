/** Diagnostics: what is wrong with a text, and what went wrong when it ran. */
import { DiagnosticSeverity, DiagnosticTag } from 'vscode-languageserver-types';
import type { Diagnostic, DiagnosticRelatedInformation, Range } from 'vscode-languageserver-types';
import type { Analysis, Location, Problem } from '../language/analysis';
import { resolveImport } from '../language/analysis';
import { endedText } from '../views/outcome';
import { plural } from '../events/wording';
import type { RunView } from '../views/view';
import { runFindings } from './findings';
import type { Finding } from './findings';
import { lspRange, runHead, runPlaces } from './places';

const SOURCE = 'mmu';

/** Diagnostics of a document at most; the last one says how many more there are. */
const MOST = 500;

interface RunsOfScript {
  readonly views: readonly RunView[];
  /** Why there are none: the worker died. */
  readonly failure: string | null;
}

/** Of the text, as far as it is understood without unrolling anything. */
export function textDiagnostics(analysis: Analysis): Diagnostic[] {
  return problems(analysis, analysis.problems);
}

/** @param found problems of machines and scripts, which lowering this very text has found */
export function foundDiagnostics(analysis: Analysis, found: readonly Problem[]): Diagnostic[] {
  // An imported file that has errors stands among the diagnostics of the text already.
  const wrong = new Set(analysis.problems.filter(({ severity }) => severity === 'error').map(({ uri }) => uri));
  return problems(
    analysis,
    found.filter(({ uri }) => uri === analysis.uri || !wrong.has(uri)),
  );
}

/** As many as an editor can show. */
export function limited(all: readonly Diagnostic[]): Diagnostic[] {
  if (all.length <= MOST) return [...all];
  const rest = all.length - MOST;
  const [{ range }] = all.slice(MOST);
  const message = `${plural(rest, 'more problem')} not shown`;
  return [...all.slice(0, MOST), { range, message, severity: DiagnosticSeverity.Information, code: 'too-many', source: SOURCE }];
}

/* ---------------------------------------------------------------- of the text */

const SEVERITIES: { readonly [severity in Problem['severity']]: DiagnosticSeverity } = {
  error: DiagnosticSeverity.Error,
  warning: DiagnosticSeverity.Warning,
  information: DiagnosticSeverity.Information,
  hint: DiagnosticSeverity.Hint,
};

function problems(analysis: Analysis, all: readonly Problem[]): Diagnostic[] {
  const own = all.filter(({ uri }) => uri === analysis.uri).map(ofProblem);
  return [...own, ...importProblems(analysis, all)];
}

function ofProblem({ range, severity, code, message, related, tag }: Problem): Diagnostic {
  return {
    range,
    severity: SEVERITIES[severity],
    code,
    message,
    source: SOURCE,
    ...(related && related.length > 0 && { relatedInformation: related.map(ofRelated) }),
    ...(tag && { tags: [DiagnosticTag.Unnecessary] }),
  };
}

function ofRelated({ uri, range, message }: Location & { readonly message: string }): DiagnosticRelatedInformation {
  return { location: { uri, range }, message };
}

/** Places of an imported file that its import's diagnostic leads to. */
const MOST_RELATED = 5;

/** Errors of an imported file stand at its import; the file's own diagnostics are shown when it is open. */
function importProblems(analysis: Analysis, all: readonly Problem[]): Diagnostic[] {
  const byFile = new Map<string, Problem[]>();
  for (const problem of all) {
    if (problem.uri === analysis.uri || problem.severity !== 'error') continue;
    const list = byFile.get(problem.uri);
    if (list) list.push(problem);
    else byFile.set(problem.uri, [problem]);
  }
  return [...byFile].map(([uri, [first, ...more]]) => {
    const others = more.length > 0 ? ` and ${plural(more.length, 'more problem')}` : '';
    return {
      range: lspRange(analysis, importOf(analysis, uri)),
      severity: DiagnosticSeverity.Error,
      code: 'import-problem',
      message: `the imported file has an error: ${first.message}${others}`,
      source: SOURCE,
      relatedInformation: [first, ...more].slice(0, MOST_RELATED).map(ofRelated),
    };
  });
}

/** Path of the import of a file; of one that an imported file imports, the first import. */
function importOf(analysis: Analysis, uri: string): { readonly start: number; readonly end: number } {
  const imports = analysis.parsed.tree.items.filter((item) => item.kind === 'import');
  const direct = imports.find(({ path }) => path && resolveImport(path.value, analysis.uri) === uri) ?? imports[0];
  return direct ? (direct.path ?? direct).range : { start: 0, end: 0 };
}

/* ---------------------------------------------------------------- of the run */

/** @param runs of this very text */
export function runDiagnostics(analysis: Analysis, { views, failure }: RunsOfScript): Diagnostic[] {
  const found = runFindings(analysis, views).map((finding) => ofFinding(analysis, finding));
  for (const { run, programs } of runPlaces(analysis)) {
    const range = lspRange(analysis, runHead(run));
    for (const index of programs) {
      const ended = views[index] && endDiagnostic(analysis, views[index], range);
      if (ended && !found.some(({ message, range: { start } }) => message === ended.message && start.line === range.start.line))
        found.push(ended);
    }
  }
  if (failure !== null) found.push(workerDiagnostic(analysis, failure));
  return found;
}

function ofFinding(analysis: Analysis, finding: Finding): Diagnostic {
  const place = analysis.statements[finding.origin];
  const own = place.uri === analysis.uri;
  return {
    range: own ? place.range : lspRange(analysis, importOf(analysis, place.uri)),
    severity: finding.kind === 'refused' ? DiagnosticSeverity.Warning : DiagnosticSeverity.Error,
    code: finding.code,
    message: finding.message,
    source: SOURCE,
    ...(!own && { relatedInformation: [{ location: { uri: place.uri, range: place.range }, message: 'here' }] }),
  };
}

function endDiagnostic(analysis: Analysis, { record }: RunView, range: Range): Diagnostic | null {
  const { ended, outcomes } = record;
  if (ended.how !== 'budget' && ended.how !== 'failed') return null;
  const last = outcomes.at(-1);
  const place = last && analysis.statements[last.origin];
  return {
    range,
    severity: ended.how === 'failed' ? DiagnosticSeverity.Error : DiagnosticSeverity.Warning,
    code: ended.how === 'failed' ? 'engine-failure' : 'budget-exceeded',
    message: endedText(ended),
    source: SOURCE,
    ...(place && {
      relatedInformation: [{ location: { uri: place.uri, range: place.range }, message: 'the last statement that was executed' }],
    }),
  };
}

function workerDiagnostic(analysis: Analysis, failure: string): Diagnostic {
  const [first] = runPlaces(analysis);
  return {
    range: lspRange(analysis, first ? runHead(first.run) : { start: 0, end: 0 }),
    severity: DiagnosticSeverity.Error,
    code: 'engine-failure',
    message: `the run ended without a result: ${failure}`,
    source: SOURCE,
  };
}
