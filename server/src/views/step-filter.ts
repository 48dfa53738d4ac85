/**
 * The steps of a run that pass a filter, by position. Found in slices, so that a search for text in a million steps can give
 * way to other work in between.
 */
import { eventAtRow } from '../engine/journal/attribution';
import { Actor, Kind } from '../engine/journal/events';
import { ROW_WORDS } from '../engine/journal/journal';
import type { StepActor, StepFilter, StepPlace, StepRow } from '../protocol/messages';
import { stepKind } from '../events/describe';
import { kindAt } from '../events/fields';
import { changes } from './next-step';
import { performerOf } from './performer';
import type { RunView } from './view';
import { lastAtMost } from './last-at-most';

/** Of the TLB and the paging-structure caches. */
const OF_TLB: ReadonlySet<Kind> = new Set([Kind.tlb_hit, Kind.tlb_fill, Kind.tlb_flush, Kind.stale, Kind.kvm_flush_remote_tlbs]);

export class StepFilterIndex {
  /** Steps that pass, ascending. */
  private found = new Uint32Array(256);
  private count = 0;
  private scanned = 0;
  private readonly actors: ReadonlySet<StepActor> | null;
  private readonly kinds: ReadonlySet<string> | null;
  private readonly text: string;

  constructor(
    private readonly view: RunView,
    filter: StepFilter,
  ) {
    this.actors = filter.actors?.length ? new Set(filter.actors) : null;
    this.kinds = filter.kinds?.length ? new Set(filter.kinds) : null;
    this.text = searchable(filter.text ?? '').trim();
  }

  /** Looks at so many further steps; true when all have been looked at. */
  scan(steps: number): boolean {
    const { length } = this.view.steps;
    const end = Math.min(this.scanned + steps, length);
    for (let step = this.scanned; step < end; step++) if (this.passes(step)) this.add(step);
    this.scanned = end;
    return end === length;
  }

  /** How many steps pass, of those looked at. */
  get length(): number {
    return this.count;
  }

  /** Rows at positions [from, from + count), fewer at the end. */
  rows(from: number, count: number): StepRow[] {
    const steps = this.found.subarray(Math.max(0, from), Math.min(from + count, this.count));
    return Array.from(steps, (step) => this.view.steps.rows(step, 1)[0]);
  }

  /** Where a step stands, or the last one before it that passes; null when there is none. */
  placeOf(step: number): StepPlace | null {
    const position = lastAtMost(this.found, step, this.count);
    return position < 0 ? null : { position, step: this.found[position] };
  }

  private passes(step: number): boolean {
    const { record, steps } = this.view;
    const row = steps.rowOf(step);
    const kind = kindAt(record, eventAtRow(record, row));
    if (this.actors && !this.actors.has(Actor[this.actorAt(row, kind)] as StepActor)) return false;
    if (this.kinds && !this.isOfKinds(this.kinds, step, kind)) return false;
    if (!this.text) return true;
    const { event, text, address } = steps.rows(step, 1)[0];
    return searchable(`${event} ${text} ${address ?? ''}`).includes(this.text);
  }

  private actorAt(row: number, kind: Kind): Actor {
    const { words, program } = this.view.record;
    const at = row * ROW_WORDS;
    // The act stands in the second field of a statement's event.
    return kind === Kind.statement ? performerOf(program, words[at + 3]) : (words[at] >>> 8) & 15;
  }

  private isOfKinds(kinds: ReadonlySet<string>, step: number, kind: Kind): boolean {
    return kinds.has(stepKind(kind)) || (kinds.has('tlb') && OF_TLB.has(kind)) || (kinds.has('change') && changes(this.view, step));
  }

  private add(step: number): void {
    if (this.count === this.found.length) {
      const larger = new Uint32Array(this.found.length * 2);
      larger.set(this.found);
      this.found = larger;
    }
    this.found[this.count++] = step;
  }
}

/** Numbers are found however their digits are grouped; names keep their `_`. */
function searchable(text: string): string {
  return text.toLowerCase().replace(/0x[0-9a-f_]+/g, (number) => number.replaceAll('_', ''));
}
