/**
 * The text before a place without what does not matter there: items of the bodies around it that are whole and far above. So a
 * script of ten thousand lines is completed as fast as one of ten.
 */
import type { Parsed } from '../../language/syntax/parse';
import { children, pathAt } from '../../language/syntax/tree';
import type { Body, File, Node } from '../../language/syntax/tree';

/** Items of a body that are kept before the place: the last ones may not be whole. */
const KEPT = 20;

/** @param kept items of each body at least */
export function excerpt({ text, tree }: Parsed, offset: number, kept = KEPT): string {
  const path = pathAt(tree, offset);
  const isAround = (node: Node): node is Body | File => isBodyAround(node, offset);
  let left = '';
  path.forEach((body, level) => {
    if (!isAround(body)) return;
    const inner = path.slice(level + 1).find(isAround);
    // What is around the next body is kept up to its brace; where there is none, all up to the place.
    const end = inner ? inner.range.start + 1 : offset;
    const from = inner ? path[level + 1].range.start : keptFrom(text, body, offset, kept);
    left += `${text.slice(from, end)}${inner ? '\n' : ''}`;
  });
  return left;
}

/** The innermost body around an offset, or the file. */
export function bodyAround({ tree }: Parsed, offset: number): Body | File {
  return pathAt(tree, offset)
    .filter((node): node is Body | File => isBodyAround(node, offset))
    .at(-1)!;
}

function isBodyAround(node: Node, offset: number): boolean {
  if (node.kind === 'file') return true;
  return node.kind === 'body' && node.range.start < offset && (offset < node.range.end || !node.closed);
}

/** Where the last items before the place begin, at the beginning of a line. */
function keptFrom(text: string, body: Body | File, offset: number, kept: number): number {
  const open = body.kind === 'body' ? body.range.start + 1 : 0;
  const items = children(body).filter(({ range }) => range.start < offset);
  for (let index = items.length - kept; index > 0; index--) {
    const { start } = items[index].range;
    const line = Math.max(text.lastIndexOf('\n', start - 1), text.lastIndexOf('\r', start - 1)) + 1;
    if (items[index].kind !== 'error' && text.slice(line, start).trim() === '') return line;
  }
  return open;
}
