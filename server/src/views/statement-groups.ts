/** The steps of a run by the statements that they are of, with what each came to: what the panel folds. The set-up is a group of its own. */
import { Kind } from '../engine/journal/events';
import { ROW_WORDS } from '../engine/journal/journal';
import { Space } from '../engine/journal/spaces';
import { isChange, spaceAt } from '../engine/journal/state';
import { exitsText } from '../events/exits';
import type { StepFold } from '../protocol/messages';
import type { Outcome } from '../run/record';
import { bare } from './came-to';
import { indexAt } from './statements';
import type { RunView } from './view';
import { lastAtMost } from './last-at-most';

/** Rows looked at in one go. */
const SLICE = 50_000;

export class StatementGroups {
  /** First step of each group, ascending. */
  private readonly firsts: Uint32Array;
  /** Entries of tables that each group changed, of those that were asked for. */
  private readonly changed = new Map<number, number>();

  constructor(private readonly view: RunView) {
    this.firsts = view.steps.groups();
  }

  get length(): number {
    return this.firsts.length;
  }

  /** Group of a step. */
  of(step: number): number {
    return Math.max(0, lastAtMost(this.firsts, step));
  }

  first(group: number): number {
    return this.firsts[group];
  }

  /** Number of its steps. */
  size(group: number): number {
    return (this.firsts[group + 1] ?? this.view.steps.length) - this.firsts[group];
  }

  /** What a group came to; in steps, as one can have millions of rows. */
  *fold(group: number, open: boolean): Generator<void, StepFold> {
    const { view } = this;
    const { outcomes } = view.record;
    const from = view.steps.rowOf(this.first(group));
    const index = view.steps.headOfRow(from) === from ? indexAt(view, from) : -1;
    const outcome: Outcome | undefined = outcomes[index];
    let [held, failed] = [0, 0];
    for (let at = index + 1; outcome && at < outcomes.length; at++) {
      const { result } = outcomes[at];
      if (result.kind !== 'expectation') break;
      if (result.holds) held++;
      else failed++;
    }
    const verdict = outcome ? bare(outcome.result) : null;
    return {
      group,
      open,
      steps: this.size(group),
      outcome: verdict && { kind: verdict.kind, what: verdict.what },
      exits: outcome ? exitsText(outcome.exits) : '',
      changed: yield* this.changedBy(group),
      held,
      failed,
    };
  }

  private *changedBy(group: number): Generator<void, number> {
    const known = this.changed.get(group);
    if (known !== undefined) return known;
    const { record, steps } = this.view;
    const { words } = record;
    const end = steps.rowOf(this.first(group) + this.size(group));
    let count = 0;
    let data = false;
    for (let row = steps.rowOf(this.first(group)); row < end; row++) {
      const kind = words[row * ROW_WORDS] & 0xff;
      // What a guest or the VMM stores is data; who makes entries of it says so by other events.
      if (kind === Kind.value || kind === Kind.vmm_write) data = true;
      else if (kind !== Kind.change && kind !== Kind.more) data = false;
      else if (!data && isChange(words, row) && spaceAt(words, row) === Space.memory) count++;
      if (row % SLICE === SLICE - 1) yield;
    }
    this.changed.set(group, count);
    return count;
  }
}
