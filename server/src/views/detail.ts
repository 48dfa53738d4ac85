/** Everything about one step: its fields, the way of the address that it is about, and what changed in it. */
import type { Act, Performer } from '../engine/program';
import { fieldText } from '../events/describe';
import { eventAt, fieldsOf } from '../events/fields';
import type { Event } from '../events/fields';
import type { StepDetail } from '../protocol/messages';
import type { TranslationView } from '../protocol/translation';
import type { Outcome } from '../run/record';
import { changesBetween } from './changes';
import { outcomeAt, statementView } from './statements';
import type { RunView } from './view';
import { accessUnderWay } from './way/accesses';
import type { UnderWay } from './way/accesses';
import { since } from './way/since';
import { translate } from './way/way';

/** null for a step that the run has not. */
export function stepDetail(view: RunView, step: number): StepDetail | null {
  const { record, steps } = view;
  if (!Number.isInteger(step) || step < 0 || step >= steps.length) return null;
  const from = steps.rowOf(step);
  const event = eventAt(record, from)!;
  const origin = steps.originOfRow(from);
  return {
    row: steps.rows(step, 1)[0],
    range: origin === null ? null : (view.statement(origin)?.range ?? null),
    fields: fieldTexts(event, view),
    about: event.spec.about,
    statement: statementView(view, from),
    ways: waysOf(view, step, from),
    changes: changesBetween(view, from, steps.rowOf(step + 1)),
  };
}

function fieldTexts(event: Event, view: RunView): StepDetail['fields'] {
  const fields = fieldsOf(event).map((each) => ({ name: each.name, value: fieldText(each, view.record.program) }));
  return event.level > 0 ? [...fields, { name: 'level', value: String(event.level) }] : fields;
}

/** The way of the address that is under way at a step, as it was before and as it is after; null: no address is. */
function waysOf(view: RunView, step: number, from: number): StepDetail['ways'] {
  const { steps } = view;
  const outcome = outcomeAt(view, from);
  const head = steps.headOfRow(from);
  if (outcome === null || head === null) return null;
  const whole = from === head;
  const asked = askedAt(view, whole ? outcome.to - 1 : from, head, outcome);
  if (!asked) return null;
  const { vm, vcpu, address, space, access } = asked;
  const at = (position: number): TranslationView => translate(view, { position, vm, vcpu }, address, space, access);
  const before = at(from);
  return { before, after: since(before, at(whole ? outcome.to : steps.rowOf(step + 1))) };
}

interface Asked extends Performer, Pick<UnderWay, 'address' | 'space'> {
  readonly access: number | null;
}

function askedAt(view: RunView, row: number, head: number, { act }: Outcome): Asked | null {
  const under = accessUnderWay(view, row, head);
  if (under) return under;
  const done = view.record.program.acts[act];
  if (!('by' in done)) return null;
  const address = linearAddress(done);
  return address === null ? null : { ...done.by, address, space: 'gva', access: null };
}

/** The linear address that an act is about which accesses nothing there; null when there is none. */
function linearAddress(act: Act): bigint | null {
  switch (act.do) {
    case 'access':
    case 'invlpg':
    case 'invpcid':
      return act.address;
    case 'edit':
      return act.table.format === 'ept' || act.table.format === 'npt' ? null : act.address;
    default:
      return null;
  }
}
