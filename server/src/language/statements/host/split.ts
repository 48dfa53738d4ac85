/** `host split gpa 0x20_0000 +2M` */
import { bindParts, noAddress, noMemory } from '../../kind';
import type { HostActKind } from '../../kind';
import type { HostArea } from '../../syntax/tree';
import type { HostActBase } from './act';

export interface Split extends HostActBase {
  readonly act: 'split';
  readonly area: HostArea;
}

export const split: HostActKind<Split> = {
  words: {
    'host-act': {
      split: 'The host splits a large page into 4K pages.',
    },
  },
  bind: bindParts,
  address: noAddress,
  memory: noMemory,
  lower: (host, { area }) => host.areas(area, (hva, size) => host.emit({ do: 'split', hva, size })),
};
