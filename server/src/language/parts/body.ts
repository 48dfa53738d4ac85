/** `{ … }`: a body of a script, whose constants hold in it alone. VMs and tables bind their items themselves. */
import { noAddress } from '../kind';
import type { Kind } from '../kind';
import type { Base, ErrorNode, Node } from '../syntax/tree';

/** The range includes the braces. */
export interface Body<T extends Node = Node> extends Base {
  readonly kind: 'body';
  readonly items: readonly (T | ErrorNode)[];
  /** `}` is there. */
  readonly closed: boolean;
}

export const body: Kind<Body> = {
  bind: (node, scope, binder) => {
    if (!node.items.some((item) => item.kind === 'const')) return binder.all(node.items, scope);
    const inner = binder.definitions.scope(scope.file, node, [scope], scope.vm, true);
    binder.definitions.defineConstants(inner, node.items);
    binder.all(node.items, inner);
  },
  address: noAddress,
};
