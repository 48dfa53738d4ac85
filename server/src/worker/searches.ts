/** The last searches of a script's runs, so that the rows of one list are not searched again for every page. */
import type { StepFilter, StepFolds, StepPlace, StepRow } from '../protocol/messages';
import { FoldedSteps } from '../views/folded-steps';
import { StatementGroups } from '../views/statement-groups';
import { StepFilterIndex } from '../views/step-filter';
import type { RunView } from '../views/view';

/** Steps looked at in one go. */
const SLICE = 5_000;

const MOST_SEARCHES = 4;

/** Steps of a run by position: all of them, or those that pass a filter. */
interface StepList {
  readonly length: number;
  rows(from: number, count: number): StepRow[] | Generator<void, StepRow[]>;
  /** Where a step stands, or what stands for it; null when nothing does. */
  placeOf(step: number): StepPlace | null;
}

export class Searches {
  private readonly kept = new Map<string, StepFilterIndex>();
  private readonly groups = new Map<number, StatementGroups>();

  groupsOf(run: number, view: RunView): StatementGroups {
    let groups = this.groups.get(run);
    if (!groups) this.groups.set(run, (groups = new StatementGroups(view)));
    return groups;
  }

  get(run: number, view: RunView, filter: StepFilter): StepFilterIndex {
    const key = `${run} ${JSON.stringify(filter)}`;
    const index = this.kept.get(key) ?? new StepFilterIndex(view, filter);
    this.kept.delete(key);
    this.kept.set(key, index);
    if (this.kept.size > MOST_SEARCHES) this.kept.delete(this.kept.keys().next().value!);
    return index;
  }
}

/** Which steps of a run are listed. */
export interface Listed {
  readonly run: number;
  readonly filter: StepFilter | null;
  readonly folds?: StepFolds | null;
}

export function* searched(searches: Searches, view: RunView, { run, filter, folds }: Listed): Generator<void, StepList> {
  if (isEmpty(filter)) return new FoldedSteps(view, searches.groupsOf(run, view), folds ?? { folded: false, except: [] });
  const index = searches.get(run, view, filter!);
  while (!index.scan(SLICE)) yield;
  return index;
}

function isEmpty(filter: StepFilter | null): boolean {
  return !filter || (!filter.actors?.length && !filter.kinds?.length && !filter.text?.trim());
}
