/** `host reclaim gpa 0x5000 +8K` */
import { bindParts, noAddress, noMemory } from '../../kind';
import type { HostActKind } from '../../kind';
import type { HostArea } from '../../syntax/tree';
import type { HostActBase } from './act';

export interface Reclaim extends HostActBase {
  readonly act: 'reclaim';
  readonly area: HostArea;
}

export const reclaim: HostActKind<Reclaim> = {
  words: {
    'host-act': {
      reclaim: 'The host takes pages back (reclaim, MADV_DONTNEED): the MMU notifier unmaps them, their content is lost.',
    },
  },
  bind: bindParts,
  address: noAddress,
  memory: noMemory,
  lower: (host, { area }) => host.areas(area, (hva, size) => host.emit({ do: 'reclaim', hva, size })),
};
