/** Everything about one step: its fields, the way of the address that it is about, and what changed in it. */
import { Actor, Kind } from '../engine/journal/events';
import type { Act, Performer } from '../engine/program';
import type { StepDetail, TranslationView } from '../protocol/messages';
import { changesBetween } from './changes';
import { fieldText } from '../events/describe';
import { eventAt, fieldsOf, kindAt } from '../events/fields';
import type { Event } from '../events/fields';
import { translate } from './translation';
import type { RunView } from './view';

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
    translation: translationAt(view, from),
    changes: changesBetween(view, from, steps.rowOf(step + 1)),
  };
}

function fieldTexts(event: Event, view: RunView): StepDetail['fields'] {
  const fields = fieldsOf(event).map((each) => ({ name: each.name, value: fieldText(each, view.record.program) }));
  return event.level > 0 ? [...fields, { name: 'level', value: String(event.level) }] : fields;
}

/** Events that say what address is under way. */
const BEGINNINGS: readonly Kind[] = [Kind.access, Kind.physical_access, Kind.statement];

/** The way of the address that the guest accesses at a row, just before it; null when no access is under way. */
function translationAt(view: RunView, row: number): TranslationView | null {
  const { record, steps } = view;
  let at = row;
  while (at > 0 && !BEGINNINGS.includes(kindAt(record, at))) at--;
  const event = eventAt(record, at);
  if (!event) return null;
  const head = event.kind === Kind.statement ? event : eventAt(record, steps.headOfRow(row) ?? -1);
  const act = head?.kind === Kind.statement ? record.program.acts[Number(head.fields.act)] : undefined;
  if (!act || !('by' in act)) return null;
  const point = { position: row, ...performerOf(event, act.by, view) };
  if (event.kind === Kind.access) return translate(view, point, event.fields.address, 'gva', event.fields.access);
  if (event.kind === Kind.physical_access) return translate(view, point, event.fields.gpa, 'gpa', event.fields.access);
  const address = linearAddress(act);
  return address === null ? null : translate(view, point, address, 'gva');
}

/** Who accesses: in an act of L2, L1's hypervisor can be at work on its own memory. */
function performerOf(event: Event, by: Performer, { record }: RunView): Performer {
  const { vms } = record.program.machine;
  const { parent } = vms[by.vm];
  if (event.kind === Kind.statement || event.actor !== Actor.L1 || parent === null) return by;
  return { vm: parent, vcpu: by.vcpu % vms[parent].vcpus.length };
}

/** The linear address that an act is about; null when there is none. */
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
