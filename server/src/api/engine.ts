/**
 * `mmu-scenarios/engine`: programs run as KVM and the processor run them, and views of what happened, without an editor. Plain data in
 * and out: a {@link Program} becomes a {@link RunRecord}, whose journal is the whole truth of the run; a {@link RunView} looks at it.
 * No clock, file or timer is used but those that the caller gives.
 */
import { drained } from '../language/steps';
import { runPrograms } from '../run/programs';
import type { Hooks } from '../run/execute';
import { RunView } from '../views/view';
import type { ComparisonView } from '../protocol/comparison';
import { compare } from '../views/compare/compare';
import { comparedRun } from '../views/compare/compared-run';
import type { OpenScript } from './language';

export { KERNEL_RULES, rulesOf } from '../engine/mmu/kernel-rules';
export type { KernelRule, KernelRuleName, KernelRules } from '../engine/mmu/kernel-rules';
export { KERNELS } from '../engine/program';
export type { Act, Kernel, MachineConfig, MmuKind, Program } from '../engine/program';
export type { ExitCount, Result } from '../engine/result';
export { execute } from '../run/execute';
export type { Hooks } from '../run/execute';
export { runPrograms } from '../run/programs';
export type { Ended, Outcome, RunRecord } from '../run/record';

export { RunView } from '../views/view';
export type { Script } from '../views/view';
export { stepDetail } from '../views/detail';
export { positionAtLine } from '../views/position-at-line';
export { stateText, stateTree } from '../views/state/state-text';
export type { StateTree } from '../views/state/state-text';
export { translationMarkdown, translationText } from '../views/translation-text';
export { accessNamed, translate } from '../views/way/way';
export type { Viewpoint } from '../views/way/way';
export {
  endedText,
  expectationText,
  failedExpectations,
  outcomeText,
  refusedSlots,
  resultText,
  statementOutcome,
  tally,
} from '../views/outcome';
export type { FailedExpectation, StatementOutcome, Tally } from '../views/outcome';
export type { StepDetail, StepRow } from '../protocol/messages';
export type { TranslationView } from '../protocol/translation';

export { figureOf } from '../figure/figure';
export { svgFile, svgMarkup } from '../figure/svg';
export { figureStyle, fileStyle } from '../figure/style';

export { comparisonLines } from '../views/compare/compare-text';
export type { TextLine } from '../views/compare/compare-text';
export { totals } from '../views/totals/totals';
export type { TotalsView } from '../protocol/totals';
export type { ComparisonView } from '../protocol/comparison';

export { compareJson } from '../export/compare-json';
export { palette } from '../export/colors';
export type { Paint, Palette } from '../export/colors';
export { ftrace, kernelTextOf } from '../export/ftrace';
export { json } from '../export/json';
export { report } from '../export/report/report';
export { text } from '../export/text';

/** Runs all programs of a script, the time limit (milliseconds) being for all of them together. */
export function runScript(script: OpenScript, hooks: Hooks = {}): RunView[] {
  return drained(runInSteps(script, hooks));
}

/** The same in steps, between which other work can be done. */
export function* runInSteps(script: OpenScript, hooks: Hooks = {}): Generator<void, RunView[]> {
  const records = yield* runPrograms(script.programs, hooks);
  return records.map((record) => new RunView(record, script.analysis));
}

/** Runs beside each other, the others aligned with the first. `label`: what a run is called in columns. */
export function compareRuns(runs: readonly { readonly view: RunView; readonly label?: string }[]): ComparisonView {
  const labels = runs.map(({ label }) => label ?? '');
  return compare(
    runs.map(({ view }) => drained(comparedRun(view))),
    labels.every((label) => label !== '') ? labels : undefined,
  );
}
