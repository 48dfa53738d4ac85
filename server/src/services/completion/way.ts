/** What is around a place, and what a value there would be a part of: the tree of the text before it, with a number put there. */
import { parse } from '../../language/syntax/parse';
import type { Parsed } from '../../language/syntax/parse';
import { pathAt } from '../../language/syntax/tree';
import type { Node, NumberExpression } from '../../language/syntax/tree';

const PLACEHOLDER = '0';

export interface Way {
  /** Outermost first. The nodes are of a tree of their own, of the text from the declaration around the place on. */
  readonly path: readonly Node[];
  /** The number that was put there; null: no value can stand there. */
  readonly value: NumberExpression | null;
}

/** @param start where the word or value at the place begins */
export function wayTo({ text, tree }: Parsed, start: number): Way {
  const parsed = parse(`${text.slice(beginOfItem(tree.items, start), start)}${PLACEHOLDER}`);
  const end = parsed.text.length;
  const path = pathAt(parsed.tree, end);
  const last = path[path.length - 1];
  const value = last.kind === 'number' && last.range.end === end ? last : null;
  return { path: value ? path.slice(0, -1) : path, value };
}

/** Where the last declaration of a file that begins before an offset begins. */
function beginOfItem(items: readonly Node[], offset: number): number {
  let low = 0;
  for (let high = items.length; low < high;) {
    const middle = (low + high) >>> 1;
    if (items[middle].range.start < offset) low = middle + 1;
    else high = middle;
  }
  return items[low - 1]?.range.start ?? 0;
}
