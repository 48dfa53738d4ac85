/**
 * Statements of two scripts beside each other: those that are written alike, in order, and between them those that an edit may have put in
 * place of others (a longest common subsequence; Myers 1986 says more).
 */

/** Pairs of indexes; null where one of both has no counterpart. */
type Pair = readonly [number | null, number | null];

/** Cells of the table of lengths at most; what is longer is paired by what begins and ends alike. */
const MOST_CELLS = 4_000_000;

/** @param one,other what is written */
export function aligned(one: readonly string[], other: readonly string[]): Pair[] {
  let start = 0;
  while (start < one.length && start < other.length && one[start] === other[start]) start++;
  let end = 0;
  while (end < one.length - start && end < other.length - start && one[one.length - 1 - end] === other[other.length - 1 - end]) end++;
  const pairs: Pair[] = [];
  for (let i = 0; i < start; i++) pairs.push([i, i]);
  pairs.push(...middle(one.slice(start, one.length - end), other.slice(start, other.length - end), start));
  for (let i = end; i > 0; i--) pairs.push([one.length - i, other.length - i]);
  return pairs;
}

function middle(one: readonly string[], other: readonly string[], offset: number): Pair[] {
  const pairs: Pair[] = [];
  let [at, beside] = [0, 0];
  const gap = (to: number, toOther: number): void => {
    // What stands in the same gap was perhaps edited: one for one, then what is left alone.
    while (at < to && beside < toOther) pairs.push([offset + at++, offset + beside++]);
    while (at < to) pairs.push([offset + at++, null]);
    while (beside < toOther) pairs.push([null, offset + beside++]);
  };
  for (const [i, j] of common(one, other)) {
    gap(i, j);
    pairs.push([offset + at++, offset + beside++]);
  }
  gap(one.length, other.length);
  return pairs;
}

/** Indexes of a longest common subsequence, ascending. */
function common(one: readonly string[], other: readonly string[]): [number, number][] {
  const columns = other.length + 1;
  if (one.length * other.length > MOST_CELLS) return [];
  const lengths = new Uint32Array((one.length + 1) * columns);
  for (let i = one.length - 1; i >= 0; i--) {
    for (let j = other.length - 1; j >= 0; j--) {
      const at = i * columns + j;
      lengths[at] = one[i] === other[j] ? lengths[at + columns + 1] + 1 : Math.max(lengths[at + columns], lengths[at + 1]);
    }
  }
  const found: [number, number][] = [];
  for (let i = 0, j = 0; i < one.length && j < other.length;) {
    if (one[i] === other[j]) found.push([i++, j++]);
    else if (lengths[(i + 1) * columns + j] >= lengths[i * columns + j + 1]) i++;
    else j++;
  }
  return found;
}
