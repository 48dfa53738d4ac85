/**
 * `mmu-scenarios/traces`: recorded traces of KVM, read as their bytes come and explained: episodes, loops, what follows from them. Plain
 * values in an {@link Explanation}, and two prints of it. No file, clock or process is used.
 */
export { Explainer, type ExplainOptions } from '../import/explainer';
export type { Answer, Explanation, Finding, Listed, RecordingFacts } from '../import/explanation';
export { TraceReader } from '../import/trace-reader';
export type { TraceEvent } from '../import/trace-event';
export { explanationJson } from '../import/report/json';
export { explanationText, type TextOptions } from '../import/report/text';
export { looksLikeTrace } from '../import/looks-like-trace';
export { LOOKED_AT, packingOf, type Packing } from '../import/packing';
