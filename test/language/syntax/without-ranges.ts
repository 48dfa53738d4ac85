import type { Node } from '../../../server/src/language/syntax/tree';

/** A tree as plain data without its ranges and comments, to be compared. */
export function withoutRanges(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutRanges);
  if (typeof value !== 'object' || value === null) return typeof value === 'bigint' ? `${value}n` : value;
  const kept = Object.entries(value).filter(([key]) => !['range', 'head', 'comments'].includes(key));
  return Object.fromEntries(kept.map(([key, each]) => [key, withoutRanges(each)]));
}

/** The text of a node. */
export function textOf(text: string, node: Pick<Node, 'range'>): string {
  return text.slice(node.range.start, node.range.end);
}
