/** `host zap all` */
import type { Rule } from '../../syntax/grammar/rule';
import type {} from '../../syntax/tree';
import { bindParts, noAddress, noMemory } from '../../kind';
import type { HostActKind } from '../../kind';
import type { HostActBase, Only } from './act';

export interface ZapAll extends HostActBase {
  readonly act: 'zap-all';
}

/** `zap all` */
const rule: Rule<[], Only<ZapAll>> = ($) => () => {
  $.CONSUME($.t.word('zap'));
  $.CONSUME($.t.word('all'));
  return { act: 'zap-all' };
};

export const zapAll: HostActKind<ZapAll> = {
  rule,
  words: {
    'host-act': {
      zap: '`zap all`: all shadow pages and roots are dropped.',
    },
  },
  bind: bindParts,
  address: noAddress,
  memory: noMemory,
  lower: (host) => host.emit({ do: 'zap-all' }),
};
