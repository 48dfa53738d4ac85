/** The addresses reached, each in its space to scale: the slots and the page that hold it, the same place in each beneath the other. */
import type { SpaceMap } from '../protocol/translation';
import type { Placed } from './grid';
import { box, line, part, text, textWidth } from './shapes';
import type { Font, Part, Shape } from './shapes';

const SPACE: Font = { size: 8.5, bold: true };
const ADDRESS: Font = { size: 10, mono: true };
const LABEL: Font = { size: 8.5 };
const BAR = 12;
const PITCH = 33;
const LEAST = 2;

const valueOf = (hexadecimal: string): number => Number(hexadecimal.replaceAll('_', ''));

export function toScale(maps: readonly SpaceMap[], y: number, width: number): Placed {
  const left = Math.ceil(Math.max(0, ...maps.map(({ space }) => textWidth(space, SPACE)))) + 8;
  const parts: Part[] = [];
  let above: number | null = null;
  let top = y;
  for (const map of maps) {
    const at = placed(map, valueOf(map.address), left, width);
    if (above !== null) parts.push(part('way between', [line([[above, top - PITCH + 16 + BAR], [at, top + 13]], 'thread')])); // prettier-ignore
    parts.push(bar(map, at, left, top, width));
    above = at;
    top += PITCH;
  }
  return { parts, height: maps.length === 0 ? 0 : top - y - PITCH + 16 + BAR };
}

/** Pixel of an address. */
function placed({ from, to }: SpaceMap, address: number, left: number, width: number): number {
  const [start, end] = [valueOf(from), valueOf(to)];
  return left + ((address - start) / (end - start)) * (width - left);
}

function bar(map: SpaceMap, at: number, left: number, y: number, width: number): Part {
  const { space, address, from, to, areas } = map;
  const top = y + 16;
  const shapes: Shape[] = [box(left, top, width - left, BAR, 'range', 2), text(0, top + 9.5, space, 'space', SPACE)];
  for (const { label, start, size, holds } of areas) {
    const x = placed(map, valueOf(start), left, width);
    const wide = Math.min(width - x, Math.max(LEAST, placed(map, valueOf(start) + valueOf(size), left, width) - x));
    shapes.push(box(Math.min(x, width - LEAST), top, wide, BAR, holds ? 'area holds' : 'area', 1));
    const named = textWidth(label, LABEL) + 6;
    const from = at >= x && at < x + named ? at + 1 : x;
    if (from + named < x + wide) shapes.push(text(from + 3, top + 9.2, label, 'link', LABEL));
  }
  // The address stands beside its mark, on the side with more room; the ends of the space where that leaves any.
  const wide = textWidth(address, ADDRESS);
  const x = at + wide + 6 <= width ? at + 4 : at - wide - 4;
  shapes.push(line([[at, top - 3], [at, top + BAR]], 'mark'), text(Math.max(left, x), y + 11, address, 'address', ADDRESS)); // prettier-ignore
  const last = textWidth(to, LABEL);
  if (Math.max(left, x) + wide + 8 < width - last) shapes.push(text(width - last, y + 11, to, 'link', LABEL));
  if (from !== '0x0' && left + textWidth(from, LABEL) + 8 < x) shapes.push(text(left, y + 11, from, 'link', LABEL));
  const holding = areas.filter(({ holds }) => holds).map(({ label, start, size }) => `${label} at ${start}, ${size} bytes`);
  return part(`scale ${space.toLowerCase()}`, shapes, {
    name: `${space} ${address} of ${from} to ${to}: ${holding.join(', ') || 'in no slot'}`,
  });
}
