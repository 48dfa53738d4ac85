/** Ways through the tree. */
import type { File, Node, NodeKind } from './tree';

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'kind' in value;
}

/** Kinds of node without children. */
const LEAVES: ReadonlySet<NodeKind> = new Set([
  'comment', 'definition', 'reference', 'word', 'text', 'number', 'switch', 'missing', 'error', 'expect-ok', 'expect-mmio', 'check-invariants',
]); // prettier-ignore

/** The direct children of a node in the order of the text, comments left out. */
export function children(node: Node): Node[] {
  const found: Node[] = [];
  if (LEAVES.has(node.kind)) return found;
  for (const key in node) {
    const value: unknown = node[key as keyof Node];
    if (typeof value !== 'object' || value === null || key === 'comments') continue;
    if (isNode(value)) found.push(value);
    else if (Array.isArray(value)) for (const element of value) if (isNode(element)) found.push(element);
  }
  // Most nodes name their parts in the order of the text.
  return found.every((child, index) => index === 0 || inOrder(found[index - 1]!, child) <= 0) ? found : found.sort(inOrder);
}

function inOrder(a: Node, b: Node): number {
  return a.range.start - b.range.start || a.range.end - b.range.end;
}

/** A node and all below it, parents first, in the order of the text. */
export function* walk(node: Node): Generator<Node> {
  const stack: Node[] = [node];
  for (let next = stack.pop(); next; next = stack.pop()) {
    yield next;
    const inner = children(next);
    for (let i = inner.length - 1; i >= 0; i--) stack.push(inner[i]);
  }
}

/**
 * The nodes around an offset, the file first and the innermost last. An offset at the end of a node is still in it, so that
 * a cursor behind a word finds the word; where two nodes meet the later one wins, but a node that is missing there loses to
 * one that is not, and to an earlier one.
 */
export function pathAt(root: File, offset: number): Node[] {
  const path: Node[] = [root];
  for (let inner: Node | undefined = root; inner;) {
    const around: Node[] = children(inner).filter((child) => child.range.start <= offset && offset <= child.range.end);
    inner = around.filter(({ range }) => range.start < range.end).at(-1) ?? around[0];
    if (inner) path.push(inner);
  }
  return path;
}
