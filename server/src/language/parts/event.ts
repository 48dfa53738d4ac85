/** `kvm_exit(EPT_VIOLATION)`, `kvm_page_fault(gfn 5)`: an event that is expected, with fields that are to be so. */
import { noAddress } from '../kind';
import type { Kind } from '../kind';
import type { Rule } from '../syntax/grammar/rule';
import type { Base, Expression, Word } from '../syntax/tree';
import { EVENT_VALUES } from '../syntax/words/observed';

export interface EventPattern extends Base {
  readonly kind: 'event';
  readonly name: Word;
  readonly fields: readonly EventField[];
}

/** `gfn 5`, or a value alone, which is the event's first field. */
export interface EventField extends Base {
  readonly kind: 'event-field';
  readonly name: Word | null;
  readonly value: Expression;
}

const EVENT = { ERR_MSG: 'an event, as kvm_exit', UNKNOWN: 'unknown-word' } as const;

/** `kvm_exit(EPT_VIOLATION)` */
export const eventRule: Rule<[], EventPattern | null> = ($) => {
  const fields = (): EventField[] => $.LIST($.eventField);
  const list = (): EventField[] => {
    $.CONSUME($.t.LParen);
    const found = $.OPTION1(fields) ?? ($.is($.t.RParen) ? [] : $.otherwise(fields, []));
    $.CONSUME($.t.RParen);
    return found;
  };
  return () => {
    const start = $.here();
    const name = $.wordOrNull($.CONSUME($.t.Event, EVENT), 'event');
    if (!name) return null;
    $.inEvent = name.text;
    const of = $.OPTION2(list) ?? [];
    return { kind: 'event', name, fields: of, range: $.since(start) };
  };
};

export const event: Kind<EventPattern> = {
  /** Fields may be told by names that events have, as `kvm_mmu_get_page(new)`. */
  bind: (node, scope, binder) => {
    for (const field of node.fields) {
      if (!isEventValue(node, field) || scope.find('value', textOf(field.value))) binder.bind(field.value, scope);
    }
  },
  address: noAddress,
};

/** A name that stands for a number of an event. */
export function isEventValue(pattern: EventPattern, { value }: EventField): boolean {
  const names = EVENT_VALUES[pattern.name.text] ?? {};
  return value.kind === 'name' && value.vm === null && Object.hasOwn(names, value.name.text);
}

function textOf(value: Expression): string {
  return value.kind === 'name' ? value.name.text : '';
}
