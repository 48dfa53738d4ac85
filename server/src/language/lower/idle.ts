/** Statements of a script that do nothing in a run: loops over nothing, and parts for kinds of MMU under which it is not. */
import { statementKind } from '../statements/kinds';
import type { Node, Reference, Statement, Under } from '../syntax/tree';
import type { Links } from '../semantics/links';

export class Activity {
  /** What is known of a node; one that is being looked at does nothing by itself. */
  private readonly known = new Map<Node, boolean>();

  constructor(
    private readonly links: Links,
    readonly isUnder: (under: Under | null) => boolean,
  ) {}

  /** Whether a statement makes an act or an expectation, now or in any round of a loop around it. */
  readonly does = (node: Statement): boolean => this.once(node, () => node.kind !== 'error' && statementKind(node).does(node, this));

  anyOf(items: readonly Statement[] | undefined): boolean {
    return items?.some(this.does) ?? false;
  }

  block(reference: Reference): boolean {
    const block = this.links.byReference.get(reference)?.node;
    return block?.kind === 'block' && this.once(block, () => this.anyOf(block.body?.items));
  }

  private once(node: Node, look: () => boolean): boolean {
    const before = this.known.get(node);
    if (before !== undefined) return before;
    this.known.set(node, false);
    const does = look();
    this.known.set(node, does);
    return does;
  }
}
