/** `host get dirty log slot 0` */
import { bindParts, noAddress, noMemory } from '../../kind';
import type { HostActKind } from '../../kind';
import type { Rule } from '../../syntax/grammar/rule';
import type { Expression } from '../../syntax/tree';
import type { HostActBase, Only } from './act';

export interface GetDirtyLog extends HostActBase {
  readonly act: 'get-dirty-log';
  readonly id: Expression;
}

/** `get dirty log slot 0` */
const rule: Rule<[], Only<GetDirtyLog>> = ($) => () => {
  $.CONSUME($.t.word('get'));
  return { act: 'get-dirty-log', id: $.SUBRULE($.dirtyLog) };
};

export const getDirtyLog: HostActKind<GetDirtyLog> = {
  rule,
  words: {
    'host-act': {
      get: '`get dirty log slot 0`: KVM_GET_DIRTY_LOG, pages written since the last call; the log is cleared (KVM API §4.8).',
    },
    clause: { log: '`get dirty log slot 0`, `clear dirty log slot 0`.' },
  },
  bind: bindParts,
  address: noAddress,
  memory: noMemory,
  lower: (host, node) => {
    const named = host.slot(node.id, null);
    if (!named) return;
    host.refused(node.id, host.vm.slots.logging(named.id));
    host.emit({ do: 'get-dirty-log', id: named.id });
  },
};
