/** An address that is reached, as a box: the name of its space and the address. */
import type { AddressSpace } from '../protocol/translation';
import { CELL_HEIGHT } from './cell';
import { box, part, text, textWidth } from './shapes';
import type { Font, Part } from './shapes';

const MARGIN = 5;
const SPACE: Font = { size: 7.5, bold: true };
const ADDRESS: Font = { size: 10, mono: true };

export function stopWidth(space: AddressSpace, address: string): number {
  return 2 * MARGIN + Math.max(textWidth(space, SPACE), textWidth(address, ADDRESS));
}

/** @param look besides the space's: `unreached`; `along` of the line of addresses */
export function stop(space: AddressSpace, address: string, x: number, y: number, width: number, look = ''): Part {
  return part(
    `stop ${space.toLowerCase()} ${look}`.trimEnd(),
    [
      box(x, y, width, CELL_HEIGHT, 'ground', 5),
      text(x + MARGIN, y + 9.5, space, 'space', SPACE),
      text(x + MARGIN, y + 21.5, address, 'address', ADDRESS),
    ],
    { name: `${space} ${address}` },
  );
}
