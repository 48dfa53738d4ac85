/** `events kvm_exit(EPT_VIOLATION), kvm_page_fault`: the last of its list, up to `under` or the next statement. */
import { bindParts, noAddress, noOutcome } from '../kind';
import type { ExpectationKind } from '../kind';
import { lowerEvent } from '../lower/observed';
import type { Base, EventPattern } from '../syntax/tree';

export interface ExpectEvents extends Base {
  readonly kind: 'expect-events';
  readonly events: readonly EventPattern[];
}

export const events: ExpectationKind<ExpectEvents> = {
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
