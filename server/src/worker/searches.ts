/** The last searches of a script's runs, so that the rows of one list are not searched again for every page. */
import type { StepFilter, StepRow } from '../protocol/messages';
import { StepFilterIndex } from '../views/step-filter';
import type { RunView } from '../views/view';

/** Steps looked at in one go. */
const SLICE = 5_000;

const MOST_SEARCHES = 4;

/** Steps of a run by position: all of them, or those that pass a filter. */
interface StepList {
  readonly length: number;
  rows(from: number, count: number): StepRow[];
  /** Position of a step, or of the last one before it that is in the list; null when there is none. */
  positionOf(step: number): number | null;
}

export class Searches {
  private readonly kept = new Map<string, StepFilterIndex>();

  get(run: number, view: RunView, filter: StepFilter): StepFilterIndex {
    const key = `${run} ${JSON.stringify(filter)}`;
    const index = this.kept.get(key) ?? new StepFilterIndex(view, filter);
    this.kept.delete(key);
    this.kept.set(key, index);
    if (this.kept.size > MOST_SEARCHES) this.kept.delete(this.kept.keys().next().value!);
    return index;
  }
}

export function* searched(searches: Searches, run: number, view: RunView, filter: StepFilter | null): Generator<void, StepList> {
  const { steps } = view;
  if (isEmpty(filter)) {
    return {
      length: steps.length,
      rows: (from, count) => steps.rows(from, count),
      positionOf: (step) => Math.min(step, steps.length - 1),
    };
  }
  const index = searches.get(run, view, filter!);
  while (!index.scan(SLICE)) yield;
  return index;
}

function isEmpty(filter: StepFilter | null): boolean {
  return !filter || (!filter.actors?.length && !filter.kinds?.length && !filter.text?.trim());
}
