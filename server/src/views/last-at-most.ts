/**
 * Index of the last element at most `value`; -1 when there is none.
 *
 * @param ascending its first `count` elements ascend
 */
export function lastAtMost(ascending: ArrayLike<number>, value: number, count = ascending.length): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
