/** Where an arrow key leads from an entry of a figure: the nearest one that lies there. */
import type { Box, Part } from '../../../server/src/figure/shapes';

interface Place {
  readonly index: number;
  readonly x: number;
  readonly y: number;
  readonly reference: number;
}

/** How much more it counts to lie aside than to lie far. */
const ASIDE = 4;

const WAYS: { readonly [key: string]: readonly [dx: number, dy: number] } = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/**
 * @param from index of a part
 * @param key an arrow; Home and End: the first and the last that the processor reads
 * @returns index of a part; null: there is none
 */
export function neighbour(parts: readonly Part[], from: number | null, key: string): number | null {
  const places = parts.flatMap((part, index) => placeOf(part, index));
  const here = places.find(({ index }) => index === from);
  if (!here) return null;
  const way = WAYS[key];
  if (!way) {
    const inOrder = [...places].sort((a, b) => a.reference - b.reference || a.index - b.index);
    const read = inOrder.filter(({ reference }) => reference < Infinity);
    const ends = read.length > 0 ? read : inOrder;
    return ends[key === 'Home' ? 0 : ends.length - 1].index;
  }
  const [dx, dy] = way;
  let best: Place | null = null;
  let least = Infinity;
  for (const place of places) {
    const [x, y] = [place.x - here.x, place.y - here.y];
    const along = x * dx + y * dy;
    const aside = Math.abs(x * dy) + Math.abs(y * dx);
    // Left and right stay in the row.
    if (along < 1 || (dx !== 0 && aside > 1)) continue;
    const distance = dx !== 0 ? along : along * ASIDE + aside;
    if (distance < least) [best, least] = [place, distance];
  }
  return best?.index ?? null;
}

function placeOf({ of, shapes }: Part, index: number): Place[] {
  if (of === null) return [];
  const { x, y, width, height } = shapes.find((each): each is Box => each.kind === 'box')!;
  return [{ index, x: x + width / 2, y: y + height / 2, reference: of.entry.reference ?? Infinity }];
}
