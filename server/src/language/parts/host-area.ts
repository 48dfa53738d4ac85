/** An area of a VM's memory, by guest-physical or by the VMM's addresses. An address alone is its page. */
import { bindParts } from '../kind';
import type { Kind } from '../kind';
import type { Base, RangeExpression } from '../syntax/tree';

export interface HostArea extends Base {
  readonly kind: 'host-area';
  readonly space: 'gpa' | 'hva';
  readonly area: RangeExpression;
}

export const hostArea: Kind<HostArea> = { bind: bindParts, address: ({ space }) => space };
