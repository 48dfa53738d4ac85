/** A processor's walk as one line: the steps in which it reads entries and finds cached ones, taken together. */
import { Kind, STAGE_SECOND } from '../engine/journal/events';
import { Structure } from '../engine/vcpu/tlb';
import type { StepRow } from '../protocol/messages';
import { levelName } from '../events/decode';
import { tableName } from '../events/describe';
import { eventAt, field, kindAt } from '../events/fields';
import { hex } from '../events/wording';
import type { RunView } from './view';

export interface WalkSteps {
  readonly row: StepRow;
  /** The step after the walk. */
  readonly next: number;
}

/** Structures that spare a walk's first part; a hit of any other is a translation of its own. */
const PARTS: readonly number[] = [Structure.pagingStructure, Structure.secondStructure, Structure.guestPhysical];

/** The walk that begins at a step, as far as `end`; null when none does. */
export function walkFrom(view: RunView, step: number, end: number): WalkSteps | null {
  const { record, steps } = view;
  const first: string[] = [];
  let second = 0;
  let cached = 0;
  let last = '';
  let level = Infinity;
  let next = step;
  for (; next < end; next++) {
    const row = steps.rowOf(next);
    const kind = kindAt(record, row);
    if (kind !== Kind.table_read && kind !== Kind.tlb_hit) break;
    const event = eventAt(record, row)!;
    if (kind === Kind.tlb_hit) {
      if (!PARTS.includes(Number(field(event, 'structure')))) break;
      cached++;
      continue;
    }
    const ofSecond = Number(field(event, 'stage')) === STAGE_SECOND;
    // The way begins anew.
    if (!ofSecond && event.level >= level) break;
    const value = hex(field(event, 'entry') ?? 0n);
    last = `${tableName(event, record.program)} ${value}`;
    if (ofSecond) second++;
    else {
      first.push(first.length === 0 ? last : `${levelName(event.level)} ${value}`);
      level = event.level;
    }
  }
  if (first.length + second === 0) return null;
  const said = [
    first.length > 0 && first.join(' → '),
    second > 0 &&
      `${second} of ${view.record.program.machine.host.vendor === 'intel' ? 'EPT' : 'NPT'}${first.at(-1) === last ? '' : `, the last ${last}`}`,
    cached > 0 && `${cached} cached`,
  ];
  const [row] = steps.rows(step, 1);
  return { row: { ...row, event: 'walk', text: said.filter(Boolean).join('; ') }, next };
}
