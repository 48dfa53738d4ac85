/**
 * `mmu-scenarios/language`: the language of scenarios, without an editor. A text becomes an {@link Analysis}, whatever is wrong with it;
 * its `lower` plans the machines and unrolls the scripts into programs, which `mmu-scenarios/engine` runs. Pure: files are read by the
 * functions that the caller gives.
 */
import { analyze } from '../language/analysis';
import type { Analysis, AnalyzeOptions, Lowered, LowerOptions } from '../language/analysis';

export { analyze, contentOf, isNotOpened, MOST_BYTES, resolveImport } from '../language/analysis';
export type {
  Analysis,
  AnalyzeOptions,
  Found,
  Location,
  Lowered,
  LowerOptions,
  NameInScope,
  NotOpened,
  Problem,
  ProblemFix,
  Target,
  Use,
} from '../language/analysis';
export type { Place, StatementPlace } from '../language/places';
export { format } from '../language/syntax/print';
export type { Kernel, MmuKind, Program } from '../engine/program';

/** A text with all that is known of it before anything runs. */
export interface OpenScript extends Lowered {
  readonly uri: string;
  readonly analysis: Analysis;
}

export type OpenOptions = AnalyzeOptions & LowerOptions;

/** Analyses a text and lowers it. `programs` is empty when `problems` has errors. */
export function openScript(text: string, uri: string, options: OpenOptions): OpenScript {
  const analysis = analyze(text, uri, options);
  return { uri, analysis, ...analysis.lower(options) };
}
