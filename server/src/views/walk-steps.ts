/** A processor's walk as one line: the steps in which it reads entries and finds cached ones, taken together. */
import { Structure } from '../engine/journal/enumerations';
import { Kind, STAGE_SECOND } from '../engine/journal/events';
import type { StepRow } from '../protocol/messages';
import { levelName } from '../events/decode';
import { eventAt } from '../events/fields';
import { tableName } from '../events/words/processor';
import { hex } from '../events/wording';
import type { RunView } from './view';

interface WalkSteps {
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
    const event = eventAt(record, row);
    if (event?.kind === Kind.tlb_hit && PARTS.includes(event.fields.structure)) {
      cached++;
      continue;
    }
    if (event?.kind !== Kind.table_read) break;
    const ofSecond = event.fields.stage === STAGE_SECOND;
    // The way begins anew.
    if (!ofSecond && event.level >= level) break;
    const value = hex(event.fields.entry);
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
