/** `host zap all` */
import { bindParts, noAddress, noMemory } from '../../kind';
import type { HostActKind } from '../../kind';
import type { HostActBase } from './act';

export interface ZapAll extends HostActBase {
  readonly act: 'zap-all';
}

export const zapAll: HostActKind<ZapAll> = {
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
