/** What is known of the state's tree at a step, and which of its nodes are open: rows to draw, and what to ask for. */
import type { StateNode, StateNodes } from '../../../server/src/protocol/state';

/** Nodes asked for at once. */
const CHUNK = 128;

export type TreeRow =
  | {
      readonly kind: 'node';
      readonly node: StateNode;
      readonly level: number;
      readonly open: boolean;
      readonly at: number;
      readonly of: number;
    }
  /** More nodes of the same parent, to be asked for. */
  | { readonly kind: 'more'; readonly id: string; readonly level: number; readonly from: number; readonly left: number };

export class TreeModel {
  private readonly known = new Map<string, { nodes: StateNode[]; total: number }>();
  private readonly asked = new Set<string>();
  /** Closed by hand, where what changed would open them. */
  private readonly closed = new Set<string>();

  /** @param open ids of nodes that are open, kept over steps */
  constructor(
    readonly open: Set<string>,
    private readonly ask: (id: string, from: number, count: number) => void,
  ) {}

  /** For another step: nothing is known any more. */
  forget(): void {
    this.known.clear();
    this.asked.clear();
    this.closed.clear();
  }

  get isKnown(): boolean {
    return this.known.has('');
  }

  setOpen(id: string, open: boolean): void {
    if (open) this.open.add(id);
    else this.open.delete(id);
    if (open) this.closed.delete(id);
    else this.closed.add(id);
  }

  receive(id: string, from: number, found: StateNodes | null): void {
    const { nodes, total } = found ?? { nodes: [], total: 0 };
    const before = this.known.get(id)?.nodes ?? [];
    this.known.set(id, { nodes: [...before.slice(0, from), ...nodes], total });
  }

  need(id: string, from = 0): void {
    const name = `${id} ${from}`;
    if (this.asked.has(name)) return;
    this.asked.add(name);
    this.ask(id, from, CHUNK);
  }

  /** @param changed only what the step changed, opened as far down as that is */
  rows(changed: boolean): TreeRow[] {
    const rows: TreeRow[] = [];
    this.add('', 1, changed, rows);
    return rows;
  }

  private add(id: string, level: number, changed: boolean, rows: TreeRow[]): void {
    const known = this.known.get(id);
    if (!known) return this.need(id);
    const nodes = changed ? known.nodes.filter(({ change, within }) => change !== null || within) : known.nodes;
    nodes.forEach((node, i) => {
      const open = node.opens && (this.open.has(node.id) || (changed && node.within && !this.closed.has(node.id)));
      rows.push({ kind: 'node', node, level, open, at: i + 1, of: changed ? nodes.length : known.total });
      // Inside what a step made everything is shown.
      if (open) this.add(node.id, level + 1, changed && node.within, rows);
    });
    const left = known.total - known.nodes.length;
    if (left > 0) rows.push({ kind: 'more', id, level, from: known.nodes.length, left });
  }
}
