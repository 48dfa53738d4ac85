/** `events kvm_exit(EPT_VIOLATION), kvm_page_fault`: the last of its list, up to `under` or the next statement. */
import { bindParts, noAddress, noOutcome } from '../kind';
import type { ExpectationKind } from '../kind';
import { lowerEvent } from '../lower/observed';
import type { Rule } from '../syntax/grammar/rule';
import type { Base, EventPattern } from '../syntax/tree';

export interface ExpectEvents extends Base {
  readonly kind: 'expect-events';
  readonly events: readonly EventPattern[];
}

/** `events kvm_exit(EPT_VIOLATION), kvm_page_fault` */
const rule: Rule<[], ExpectEvents> = ($) => () => {
  const start = $.CONSUME($.t.word('events')).startOffset;
  const events = $.LIST($.event);
  return { kind: 'expect-events', events, range: $.since(start) };
};

export const events: ExpectationKind<ExpectEvents> = {
  rule,
  words: {
    expectation: {
      events: 'Events in this order since the act before began, others between them allowed. The last of its list.',
    },
  },
  bind: bindParts,
  address: noAddress,
  outcome: noOutcome,
  ofLastAct: true,
  lower: (script, node, { env }) => [{ kind: 'events', events: node.events.flatMap((event) => lowerEvent(script, event, env) ?? []) }],
};
