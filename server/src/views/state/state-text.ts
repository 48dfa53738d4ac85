/** The tree of the state with all of it opened, and as lines of text: what `mmu state` prints. */
import type { StateNode } from '../../protocol/state';
import type { RunView } from '../view';
import { runOf } from './sections';
import { stateNodes } from './tree';

/** A node with what is inside it. */
export type StateTree = Pick<StateNode, 'id' | 'name' | 'range' | 'value' | 'decoded' | 'note' | 'stale'> & {
  readonly inside: readonly StateTree[];
  /** Nodes inside that are left out. */
  readonly more: number;
};

/** Nodes inside one. */
const MOST = 64;
/** Lists of tables and entries that hang elsewhere in the tree too: they are printed as lists. */
const LISTS = /^(shadow|roots|rmap)\/[^/]+$/;

/**
 * The state just before a journal row, runs of neighbours closed.
 *
 * @param id of the node whose inside is meant; empty: all
 * @returns null when there is no such node
 */
export function stateTree(view: RunView, position: number, id = ''): StateTree[] | null {
  const found = stateNodes(view, { from: position, to: position }, id, 0, MOST);
  return found && found.nodes.map((node) => opened(view, position, node, id));
}

function opened(
  view: RunView,
  position: number,
  { id, name, range, value, decoded, note, stale, opens }: StateNode,
  top: string,
): StateTree {
  const found = opens && !isClosed(id, top) ? stateNodes(view, { from: position, to: position }, id, 0, MOST) : null;
  const inside = found?.nodes.map((each) => opened(view, position, each, top)) ?? [];
  return { id, name, range, value, decoded, note, stale, inside, more: (found?.total ?? 0) - inside.length };
}

function isClosed(id: string, top: string): boolean {
  return runOf(id.slice(id.lastIndexOf('/') + 1)) !== null || (top === '' && LISTS.test(id));
}

/** `PT[0] [0x40_0000 +4K] = 0x20_0027 (P R/W U/S A → gpa 0x20_0000)`, two columns deeper for each level. */
export function stateText(nodes: readonly StateTree[], indent = ''): string[] {
  return nodes.flatMap(({ name, range, value, decoded, note, inside, more }) => [
    indent + [name, range && `[${range}]`, value && `= ${value}`, decoded && `(${decoded})`, note && `— ${note}`].filter(Boolean).join(' '),
    ...stateText(inside, `${indent}  `),
    ...(more > 0 ? [`${indent}  and ${more} more`] : []),
  ]);
}
