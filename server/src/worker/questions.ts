/** What can be asked of a script that was checked and run: each feature that looks at runs, as a question with its answer. */
import type { CodeAction, Diagnostic, Hover, Position, Range } from 'vscode-languageserver-types';
import type { Analysis, Problem } from '../language/analysis';
import type { RunInfo, StepDetail, StepGoal, StepPlace, StepRow } from '../protocol/messages';
import type { MemoryMap, StateNodes, StateOrigin } from '../protocol/state';
import type { ComparisonView } from '../protocol/comparison';
import type { TotalsTables } from '../protocol/totals';
import type { TranslationView } from '../protocol/translation';
import { report } from '../api/engine';
import { codeActions } from '../services/code-actions';
import { hover } from '../services/hover';
import { inlayHints } from '../services/inlay-hints';
import type { StatementHint } from '../services/inlay-hints';
import { translateAt } from '../services/translate-at';
import { compare } from '../views/compare/compare';
import { comparedRun } from '../views/compare/compared-run';
import { stepDetail } from '../views/detail';
import { memoryAt, originAt, stateAt } from '../views/state/at-step';
import { totalsTables } from '../views/totals/tables';
import { totalsInSteps } from '../views/totals/totals';
import type { RunView } from '../views/view';
import { kernelTextOf } from '../api/engine';
import { nextStep } from '../views/next-step';
import { searched } from './searches';
import type { Listed, Searches } from './searches';

/** A script as a worker knows it. */
export interface KnownScript {
  readonly analysis: Analysis;
  readonly problems: readonly Problem[];
  /** Empty when it was not run. */
  readonly views: readonly RunView[];
  readonly infos: readonly RunInfo[];
  readonly searches: Searches;
  /** Of the text that was run before this one; empty when there was none, or its journals are too large to be kept. */
  readonly before: readonly RunView[];
}

/** A run is named by its index. */
interface OfRun {
  readonly run: number;
}

interface Questions {
  hover: { params: { position: Position; links: boolean }; answer: Hover | null };
  inlayHints: { params: { range: Range; exits: boolean }; answer: StatementHint[] };
  codeActions: { params: { range: Range; shown: readonly Diagnostic[] }; answer: CodeAction[] };
  translate: { params: OfRun & { position: Position; address: string | null }; answer: { markdown: string; view: TranslationView } | null };
  steps: { params: Listed & { from: number; count: number }; answer: { rows: StepRow[]; total: number } | null };
  position: { params: Listed & { step: number }; answer: StepPlace | null };
  next: {
    params: OfRun & { step: number; goal: StepGoal; direction: 1 | -1 };
    answer: { step: number; group: number; first: number } | null;
  };
  kernelText: { params: OfRun & { from: number; to: number }; answer: string | null };
  step: { params: OfRun & { step: number }; answer: StepDetail | null };
  state: { params: OfRun & { step: number; id: string; from: number; count: number }; answer: StateNodes | null };
  stateOrigin: { params: OfRun & { step: number; id: string }; answer: StateOrigin | null };
  memoryMaps: { params: OfRun & { step: number }; answer: MemoryMap[] | null };
  /** All runs, whichever is named, as a page of HTML, with the walk of the statement at a line in any case. */
  report: { params: OfRun & { line: number | null }; answer: string | null };
  totals: { params: OfRun; answer: TotalsTables | null };
  /** Beside another run, or that of the same name before the last change. */
  compare: { params: OfRun & { with: number | null }; answer: ComparisonView | null };
  stepAtLine: { params: OfRun & { line: number }; answer: number | null };
}

export type What = keyof Questions;
export type Params<K extends What> = Questions[K]['params'];
export type Answer<K extends What> = Questions[K]['answer'];
export type Question = { [K in What]: { readonly what: K; readonly params: Params<K> } }[What];

/** Answers in steps: a search for text looks at a million rows. */
type Answering<K extends What> = (script: KnownScript, params: Params<K>) => Answer<K> | Generator<void, Answer<K>>;

const ANSWERS: { readonly [K in What]: Answering<K> } = {
  hover: ({ analysis, views }, { position, links }) => hover(analysis, views, analysis.offsetAt(position), links),
  inlayHints: ({ analysis, views }, { range, exits }) => inlayHints(analysis, views, range, { exits }),
  codeActions: ({ analysis, problems, views }, { range, shown }) => codeActions(analysis, problems, views, range, shown),
  translate({ analysis, views }, { run, position, address }) {
    const view = views[run];
    return view ? translateAt(analysis, view, position, address) : null;
  },
  *steps({ views, searches }, { from, count, ...listed }) {
    const view = views[listed.run];
    if (!view) return null;
    const list = yield* searched(searches, view, listed);
    const rows = list.rows(from, count);
    return { rows: Array.isArray(rows) ? rows : yield* rows, total: list.length };
  },
  *position({ views, searches }, { step, ...listed }) {
    const view = views[listed.run];
    return view ? (yield* searched(searches, view, listed)).placeOf(step) : null;
  },
  *next({ views, searches }, { run, step, goal, direction }) {
    const view = views[run];
    const found = view ? yield* nextStep(view, step, goal, direction) : null;
    if (found === null) return null;
    const groups = searches.groupsOf(run, view);
    const group = groups.of(found);
    return { step: found, group, first: groups.first(group) };
  },
  *report({ analysis, views }, { line }) {
    if (views.length === 0) return null;
    const pieces: string[] = [];
    for (const piece of report({ file: analysis.uri, uri: analysis.uri, text: analysis.parsed.text, views, line })) {
      pieces.push(piece);
      yield;
    }
    return pieces.join('');
  },
  kernelText: ({ views }, { run, from, to }) => (views[run] ? kernelTextOf(views[run], from, to) : null),
  *totals({ views }, { run }) {
    const view = views[run];
    return view ? totalsTables(yield* totalsInSteps(view)) : null;
  },
  *compare({ views, before }, { run, with: other }) {
    const view = views[run];
    const name = view?.record.program.name;
    const beside = other === null ? before.find(({ record }) => record.program.name === name) : views[other];
    if (!view || !beside) return null;
    if (other !== null) return compare([yield* comparedRun(view), yield* comparedRun(beside)]);
    return compare([yield* comparedRun(beside), yield* comparedRun(view)], ['before', 'now']);
  },
  step: ({ views }, { run, step }) => (views[run] ? stepDetail(views[run], step) : null),
  state: ({ views }, { run, step, id, from, count }) => (views[run] ? stateAt(views[run], step, id, from, count) : null),
  stateOrigin: ({ views }, { run, step, id }) => (views[run] ? originAt(views[run], step, id) : null),
  memoryMaps: ({ views }, { run, step }) => (views[run] ? memoryAt(views[run], step) : null),
  stepAtLine: ({ analysis, views }, { run, line }) => views[run]?.steps.stepAtLine(analysis.uri, line) ?? null,
};

export function* answerInSteps<K extends What>(script: KnownScript, { what, params }: Question & { what: K }): Generator<void, Answer<K>> {
  const answering = ANSWERS[what] as Answering<K>;
  const answer = answering(script, params as Params<K>);
  return isSteps(answer) ? yield* answer : answer;
}

function isSteps<T>(answer: T | Generator<void, T>): answer is Generator<void, T> {
  return typeof answer === 'object' && answer !== null && Symbol.iterator in answer && 'next' in answer;
}
