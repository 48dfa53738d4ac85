/** What is around a place, and what a value there would be a part of: the tree of the text before it, with a number put there. */
import { parse } from '../../language/syntax/parse';
import { tokensOf } from '../../language/syntax/scan';
import { pathAt } from '../../language/syntax/tree';
import type { Node, NumberExpression } from '../../language/syntax/tree';

const PLACEHOLDER = '0';

export interface Way {
  /** Outermost first. The nodes are of a tree of their own. */
  readonly path: readonly Node[];
  /** The number that was put there; null: no value can stand there. */
  readonly value: NumberExpression | null;
}

/** @param text what stands before the place */
export function wayTo(text: string): Way {
  const before = `${text}${PLACEHOLDER}`;
  const end = before.length;
  const path = pathAt(parse(`${before} ${closing(before)}`).tree, end);
  const last = path[path.length - 1];
  const value = last.kind === 'number' && last.range.end === end ? last : null;
  return { path: value ? path.slice(0, -1) : path, value };
}

const CLOSING: { readonly [open: string]: string } = { '{': '\n}', '(': ')', '[': ']' };

/** What closes the brackets that are open at the end of a text. */
export function closing(text: string): string {
  const open: string[] = [];
  for (const { image } of tokensOf(text)) {
    if (Object.hasOwn(CLOSING, image)) open.push(CLOSING[image]);
    else if (/^[)}\]]$/.test(image)) open.pop();
  }
  return open.reverse().join('');
}
