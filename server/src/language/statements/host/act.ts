/** What the nodes of all host acts have in common. */
import type { Base, Expect } from '../../syntax/tree';

/** What tells an act of the host apart from others. */
export type Only<T> = Omit<T, 'kind' | 'expects' | 'range'>;

export interface HostActBase extends Base {
  readonly kind: 'host-act';
  readonly expects: readonly Expect[];
}
