/** The attempts at accesses in a run: what the processor's rows say of each, for holding views to the journal. */
import { Actor, Kind } from '../../server/src/engine/journal/events';
import { ROW_WORDS } from '../../server/src/engine/journal/journal';
import type { Rows } from '../../server/src/engine/journal/state';
import { kindAt } from '../../server/src/events/fields';
import { accessUnderWay } from '../../server/src/views/way/accesses';
import type { UnderWay } from '../../server/src/views/way/accesses';
import type { RunView } from '../../server/src/views/view';

const PROCESSOR: ReadonlySet<Kind> = new Set([
  Kind.table_read,
  Kind.table_write,
  Kind.translated,
  Kind.tlb_hit,
  Kind.tlb_fill,
  Kind.stale,
  Kind.ept_violation,
  Kind.ept_misconfig,
  Kind.nested_page_fault,
  Kind.pml_log,
]);

export interface Attempted {
  readonly under: UnderWay;
  /** Its rows are [from, to), with changes between them. */
  readonly from: number;
  readonly to: number;
  /** It is the first of its access. */
  readonly first: boolean;
}

/** Attempts that an access or the VM entry before it begins; other walks are of loads of PDPTEs. */
export function* attempts(view: RunView): Generator<Attempted> {
  const { record, steps } = view;
  for (let row = record.setup; row < record.length; row++) {
    if (!PROCESSOR.has(kindAt(record, row))) continue;
    const from = row;
    while (row < record.length && (PROCESSOR.has(kindAt(record, row)) || !isEvent(record, row))) row++;
    const begins = eventBefore(record, from);
    const first = begins >= 0 && [Kind.access, Kind.physical_access].includes(kindAt(record, begins));
    const entered = begins >= 0 && kindAt(record, begins) === Kind.kvm_entry && actorAt(record, begins) === Actor.L0;
    const under = accessUnderWay(view, from, steps.headOfRow(from) ?? 0);
    if (under && (first || entered)) yield { under, from, to: row, first };
    row--;
  }
}

/** Rows of the processor, as text without who they are of. */
export function said(rows: Rows, from = 0, to = rows.length): string[] {
  const all: string[] = [];
  for (let row = from; row < to; row++) {
    if (!PROCESSOR.has(kindAt(rows, row))) continue;
    const at = row * ROW_WORDS;
    all.push([Kind[kindAt(rows, row)], rows.words[at] >>> 12, ...rows.words.subarray(at + 1, at + ROW_WORDS)].join(' '));
  }
  return all;
}

export function eventBefore(rows: Rows, row: number): number {
  let at = row - 1;
  while (at >= 0 && !isEvent(rows, at)) at--;
  return at;
}

function isEvent(rows: Rows, row: number): boolean {
  return kindAt(rows, row) !== Kind.change && kindAt(rows, row) !== Kind.more;
}

function actorAt({ words }: Rows, row: number): Actor {
  return (words[row * ROW_WORDS] >>> 8) & 15;
}
