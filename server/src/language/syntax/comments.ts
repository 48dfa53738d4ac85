/** Comments of a file by where they stand; they are in order. */
import type { Range } from './tree';

/** Index of the first comment that begins at or after an offset. */
export function firstAt(comments: readonly { readonly range: Range }[], offset: number): number {
  let low = 0;
  let high = comments.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (comments[middle].range.start < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
