/** `host collapse gpa 0x20_0000 +2M` */
import { bindParts, noAddress, noMemory } from '../../kind';
import type { HostActKind } from '../../kind';
import type { HostArea } from '../../syntax/tree';
import type { HostActBase } from './act';

export interface Collapse extends HostActBase {
  readonly act: 'collapse';
  readonly area: HostArea;
}

export const collapse: HostActKind<Collapse> = {
  words: {
    'host-act': {
      collapse: 'The host makes small pages into a large one (khugepaged).',
    },
  },
  bind: bindParts,
  address: noAddress,
  memory: noMemory,
  lower: (host, { area }) => host.areas(area, (hva, size) => host.emit({ do: 'collapse', hva, size })),
};
