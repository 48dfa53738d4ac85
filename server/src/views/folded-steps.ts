/** The list of steps with some statements folded into a line each: positions are found by counting, whatever the run's length. */
import type { StepFolds, StepPlace, StepRow } from '../protocol/messages';
import type { StatementGroups } from './statement-groups';
import type { RunView } from './view';
import { lastAtMost } from './last-at-most';

export class FoldedSteps {
  /** Groups that are not as the others, ascending, and the position after each one's last row. */
  private readonly except: readonly number[];
  private readonly ends: number[] = [];

  constructor(
    private readonly view: RunView,
    private readonly groups: StatementGroups,
    private readonly folds: StepFolds,
  ) {
    const known = new Set(folds.except.filter((group) => Number.isInteger(group) && group >= 0 && group < groups.length));
    this.except = [...known].sort((a, b) => a - b);
    for (const group of this.except) this.ends.push(this.positionOfGroup(group) + (folds.folded ? groups.size(group) : 1));
  }

  get length(): number {
    const { groups } = this;
    return groups.length === 0 ? 0 : this.positionOfGroup(groups.length);
  }

  /** Rows at positions [from, from + count), fewer at the end; in steps. */
  *rows(from: number, count: number): Generator<void, StepRow[]> {
    const { steps } = this.view;
    const rows: StepRow[] = [];
    const end = Math.min(from + count, this.length);
    for (let position = Math.max(0, from); position < end; position++) {
      const { group, step } = this.at(position);
      const [row] = steps.rows(step, 1);
      rows.push(step === this.groups.first(group) ? { ...row, fold: yield* this.groups.fold(group, this.isOpen(group)) } : row);
    }
    return rows;
  }

  /** Where a step stands, or the line into which it is folded, which is another step. */
  placeOf(step: number): StepPlace | null {
    const { groups } = this;
    if (groups.length === 0) return null;
    const group = groups.of(step);
    const position = this.positionOfGroup(group);
    const first = groups.first(group);
    if (!this.isOpen(group)) return step === first ? { position, step } : { position, step: first, foldedInto: group };
    const inside = Math.min(step - first, groups.size(group) - 1);
    return { position: position + inside, step: first + inside };
  }

  private isOpen(group: number): boolean {
    return this.folds.folded === this.isExcept(group);
  }

  private isExcept(group: number): boolean {
    const at = lastAtMost(this.except, group);
    return at >= 0 && this.except[at] === group;
  }

  /** Position of a group's first row. */
  private positionOfGroup(group: number): number {
    const at = lastAtMost(this.except, group - 1);
    const [after, position] = at < 0 ? [0, 0] : [this.except[at] + 1, this.ends[at]];
    return position + this.usual(after, group);
  }

  /** Rows of groups [from, to), of which none is an exception. */
  private usual(from: number, to: number): number {
    if (this.folds.folded || to <= from) return to - from;
    const { groups } = this;
    return (to < groups.length ? groups.first(to) : this.view.steps.length) - groups.first(from);
  }

  private at(position: number): { readonly group: number; readonly step: number } {
    const { groups } = this;
    let low = 0;
    let high = groups.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (this.positionOfGroup(middle) <= position) low = middle;
      else high = middle;
    }
    return { group: low, step: groups.first(low) + position - this.positionOfGroup(low) };
  }
}
