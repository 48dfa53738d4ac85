/** Statements of a script that do nothing in a run: loops over nothing, and parts for kinds of MMU under which it is not. */
import type { Block, Node, Under } from '../syntax/tree';
import type { Links } from '../semantics/links';

export class Activity {
  /** What is known of a node; one that is being looked at does nothing by itself. */
  private readonly known = new Map<Node, boolean>();

  constructor(
    private readonly links: Links,
    private readonly isUnder: (under: Under | null) => boolean,
  ) {}

  /** Whether a statement makes an act or an expectation, now or in any round of a loop around it. */
  readonly does = (node: Node): boolean => {
    const before = this.known.get(node);
    if (before !== undefined) return before;
    this.known.set(node, false);
    const does = this.look(node);
    this.known.set(node, does);
    return does;
  };

  private look(node: Node): boolean {
    switch (node.kind) {
      case 'const':
      case 'error':
        return false;
      case 'for':
      case 'block':
        return this.anyOf(node.body?.items);
      case 'under-statement':
        return this.isUnder(node.under) && this.anyOf(node.body?.items);
      case 'performed':
        return node.statement ? this.does(node.statement) : this.anyOf(node.body?.items);
      case 'host-acts':
        return node.act !== null || this.anyOf(node.body?.items);
      case 'expect':
        return this.isUnder(node.under);
      case 'call':
        return this.anyOf(node.expects) || this.blockDoes(this.links.byReference.get(node.block)?.node);
      default:
        return true;
    }
  }

  private blockDoes(block: Node | undefined): boolean {
    return block?.kind === 'block' && this.does(block satisfies Block);
  }

  private anyOf(items: readonly Node[] | undefined): boolean {
    return items?.some(this.does) ?? false;
  }
}
