/** What the nodes of all host acts have in common. */
import type { Base, Expect } from '../../syntax/tree';

export interface HostActBase extends Base {
  readonly kind: 'host-act';
  readonly expects: readonly Expect[];
}
